//! No input makes an exchange panic, hang or answer with nonsense.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::wire::{Seen, Wire, modern_meta};
use crate::{Context, Json, NoArguments, Server, Tool};

/// Settings of a property test that runs this many cases, unless `PROPTEST_CASES` has another number.
pub(crate) fn cases(cases: u32) -> ProptestConfig {
    let default = ProptestConfig::default();
    let cases = if std::env::var_os("PROPTEST_CASES").is_some() { default.cases } else { cases };
    ProptestConfig { cases, ..default }
}

#[derive(serde::Deserialize, serde::Serialize, schemars::JsonSchema)]
struct Echo {
    #[schemars(extend("x-mcp-header" = "Text"))]
    text: String,
    count: Option<i32>,
    #[serde(default)]
    any: Value,
}

fn server() -> Server {
    Server::new("any", "1")
        .tool(Tool::new("echo", async |args: Echo| Json(args)).description("x").header_params())
        .tool(
            Tool::with_context("talks", async |_: NoArguments, context: Context| {
                context.progress(1.0).await;
                format!("{:?} {:?}", context.client_info(), context.trace_context())
            })
            .description("x"),
        )
}

/// An answer is whole: one head, one end, JSON or events where it says so, and never a null id.
fn is_whole(seen: &Seen) -> Result<(), TestCaseError> {
    prop_assert!(seen.finished);
    prop_assert!((200..600).contains(&seen.status), "{}", seen.status);
    match seen.header("content-type") {
        None => prop_assert_eq!(&seen.body, ""),
        Some("application/json") => {
            let json: Value = serde_json::from_str(&seen.body).unwrap();
            for message in json.as_array().unwrap_or(&vec![json.clone()]) {
                prop_assert_eq!(&message["jsonrpc"], "2.0");
                prop_assert!(message.get("id") != Some(&Value::Null), "{}", message);
                let members = ["result", "error"].map(|key| message.get(key).is_some());
                prop_assert!(members[0] != members[1], "{}", message);
            }
        }
        Some(kind) => {
            prop_assert_eq!(kind, "text/event-stream");
            prop_assert!(!seen.events().is_empty());
        }
    }
    Ok(())
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        Just(json!("2026-07-28")),
        Just(json!("2.0")),
        Just(json!("echo")),
        Just(json!("talks")),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(any_key(), inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn any_key() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("jsonrpc".to_owned()),
        Just("id".to_owned()),
        Just("method".to_owned()),
        Just("params".to_owned()),
        Just("name".to_owned()),
        Just("arguments".to_owned()),
        Just("text".to_owned()),
        Just("_meta".to_owned()),
        Just("progressToken".to_owned()),
        Just("io.modelcontextprotocol/protocolVersion".to_owned()),
        Just("io.modelcontextprotocol/clientCapabilities".to_owned()),
        Just("io.modelcontextprotocol/logLevel".to_owned()),
        ".{0,8}",
    ]
}

fn any_method() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("tools/call".to_owned()),
        Just("tools/list".to_owned()),
        Just("server/discover".to_owned()),
        Just("initialize".to_owned()),
        Just("logging/setLevel".to_owned()),
        ".{0,12}",
    ]
}

fn any_header() -> impl Strategy<Value = (String, String)> {
    let name = prop_oneof![
        Just("mcp-method".to_owned()),
        Just("mcp-name".to_owned()),
        Just("mcp-protocol-version".to_owned()),
        Just("mcp-param-text".to_owned()),
        Just("accept".to_owned()),
        Just("content-type".to_owned()),
        Just("origin".to_owned()),
        "[a-z-]{1,12}",
    ];
    let value = prop_oneof![
        Just("2026-07-28".to_owned()),
        Just("2025-03-26".to_owned()),
        Just("tools/call".to_owned()),
        Just("echo".to_owned()),
        "=\\?base64\\?.{0,8}\\?=",
        ".{0,16}",
    ];
    (name, value)
}

proptest! {
    #![proptest_config(cases(512))]

    #[test]
    fn any_bytes(body in prop::collection::vec(any::<u8>(), 0..200), size in 1..40_usize) {
        is_whole(&Wire::post(body).in_pieces(size).run(&server()))?;
    }

    #[test]
    fn any_value(body in any_json(), headers in prop::collection::vec(any_header(), 0..4)) {
        let wire = Wire::post(body.to_string());
        let wire = headers.iter().fold(wire, |wire, (name, value)| wire.header(name, value));
        is_whole(&wire.run(&server()))?;
    }

    #[test]
    fn any_parameters(method in any_method(), params in any_json(), id in any_json()) {
        let body = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
        is_whole(&Wire::post(body.to_string()).run(&server()))?;
        let modern = Wire::post(body.to_string())
            .header("mcp-protocol-version", "2026-07-28")
            .header("mcp-method", &method);
        is_whole(&modern.run(&server()))?;
    }

    #[test]
    fn any_arguments(arguments in any_json(), meta in any_json(), text in ".{0,16}") {
        let mut params = json!({ "name": "echo", "arguments": arguments, "_meta": modern_meta() });
        if let (Some(own), Some(extra)) = (params["_meta"].as_object_mut(), meta.as_object()) {
            for (key, value) in extra {
                own.entry(key.clone()).or_insert_with(|| value.clone());
            }
        }
        let wire = Wire::modern("tools/call", params).header("mcp-param-text", &text);
        is_whole(&wire.run(&server()))?;
    }

    #[test]
    fn any_client_that_goes_away(body in any_json(), size in 1..20_usize, at in 0..12_usize) {
        let seen = Wire::post(body.to_string()).in_pieces(size).fail_at(at).run(&server());
        prop_assert!(seen.failures > 0 || seen.finished);
    }
}
