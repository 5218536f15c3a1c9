//! A message is small or large by the values in it: they are counted before any is built.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::wire::{Seen, Wire, modern_meta};
use crate::{Completion, CompletionRequest, Context, Prompt, Resource, Server, Tool, ToolError};

#[derive(Deserialize, JsonSchema)]
#[expect(dead_code, reason = "never read")]
struct Name {
    name: Option<String>,
}

fn server() -> Server {
    async fn any(_: Map<String, Value>) -> &'static str {
        "called"
    }
    async fn asks(_: Map<String, Value>, context: Context) -> Result<&'static str, ToolError> {
        let _: Name = context.elicit("name", "Your name?").await?;
        Ok("called")
    }
    let complete = async |_: CompletionRequest| Completion::default();
    Server::new("s", "1")
        .tool(Tool::new("plain", any).description("x"))
        .tool(Tool::new("schema", any).description("x").enforce_schema())
        .tool(Tool::new("headers", any).description("x").header_params())
        .tool(Tool::with_context("asks", asks).description("x"))
        .prompt(Prompt::new("p", async |_: Name| "x").description("x").complete("name", complete))
        .resource(Resource::text("docs://a", "a", "text"))
}

/// As many values as that, and one for the list: the dearest by their length, since each map has
/// room for more.
fn many(count: usize) -> String {
    format!("[{}]", vec![r#"{"":0}"#; count / 2].join(","))
}

/// A request in which `"@"` stands for many values.
fn with_many(method: &str, params: &Value, count: usize) -> Wire {
    let mut params = params.clone();
    if params["_meta"].is_null() {
        params["_meta"] = modern_meta();
    }
    let name = params["name"].as_str().or(params["uri"].as_str()).map(str::to_owned);
    let message = json!({ "jsonrpc": "2.0", "id": 7, "method": method, "params": params });
    let wire = Wire::post(message.to_string().replace("\"@\"", &many(count)))
        .header("mcp-protocol-version", "2026-07-28")
        .header("mcp-method", method);
    match name {
        Some(name) => wire.header("mcp-name", &name),
        None => wire,
    }
}

#[track_caller]
fn assert_refused(seen: &Seen, what: &str) {
    let response = seen.json();
    assert_eq!(
        (&response["id"], &response["error"]["code"]),
        (&json!(7), &json!(-32602)),
        "{what}"
    );
    assert_eq!(
        response["error"]["message"],
        "Invalid params: the message has more than 100000 JSON values, the limit of this server"
    );
}

#[test]
fn a_message_with_more_values_than_the_limit_is_refused_wherever_they_are() {
    let mut meta = modern_meta();
    meta["io.modelcontextprotocol/clientCapabilities"] = json!({ "extensions": { "a/b": "@" } });
    let answers = json!({ "name": { "action": "accept", "content": { "name": "@" } } });
    let prompt = json!({ "type": "ref/prompt", "name": "p" });
    let argument = json!({ "name": "name", "value": "" });
    for (method, params) in [
        ("tools/call", json!({ "name": "plain", "arguments": { "x": "@" } })),
        ("tools/call", json!({ "name": "schema", "arguments": { "x": "@" } })),
        ("tools/call", json!({ "name": "headers", "arguments": { "x": "@" } })),
        ("tools/call", json!({ "name": "asks", "arguments": { "x": "@" } })),
        ("tools/call", json!({ "name": "asks", "inputResponses": answers })),
        ("tools/call", json!({ "name": "plain", "other": "@" })),
        ("tools/call", json!({ "name": "asks", "_meta": meta })),
        ("prompts/get", json!({ "name": "p", "arguments": { "name": "@" } })),
        ("prompts/get", json!({ "name": "p", "inputResponses": { "a": { "b": "@" } } })),
        ("resources/read", json!({ "uri": "docs://a", "inputResponses": { "a": { "b": "@" } } })),
        (
            "completion/complete",
            json!({ "ref": prompt, "argument": argument, "context": { "arguments": "@" } }),
        ),
        ("subscriptions/listen", json!({ "notifications": { "resourceSubscriptions": "@" } })),
        ("tools/list", json!({ "cursor": "@" })),
        ("unknown/method", json!({ "x": "@" })),
    ] {
        assert_refused(&with_many(method, &params, 100_000).run(&server()), &params.to_string());
    }
}

#[test]
fn a_message_with_as_many_values_as_the_limit_is_read() {
    for tool in ["plain", "schema", "headers"] {
        let params = json!({ "name": tool, "arguments": { "x": "@" } });
        let seen = with_many("tools/call", &params, 99_900).run(&server());
        assert_eq!(seen.result()["content"][0]["text"], "called", "{tool}");
    }
}

#[test]
fn a_server_sets_the_limit_of_values() {
    let params = json!({ "name": "plain", "arguments": { "x": "@" } });
    let code = |server: Server, count| {
        with_many("tools/call", &params, count).run(&server).json()["error"]["code"].clone()
    };
    assert_eq!(code(server().max_values(1000), 1000), -32602);
    assert_eq!(code(server().max_values(1000), 900), Value::Null);
    assert_eq!(code(server().max_values(300_000), 200_000), Value::Null);
}

#[test]
fn each_request_of_an_array_with_too_many_values_is_refused() {
    let request = json!({
        "jsonrpc": "2.0", "id": 7, "method": "tools/call",
        "params": { "name": "plain", "arguments": { "x": "@" } },
    });
    let other = json!({ "jsonrpc": "2.0", "id": 8, "method": "ping" });
    let body = json!([request, other]).to_string().replace("\"@\"", &many(100_000));
    let seen = Wire::post(body).header("mcp-protocol-version", "2025-03-26").run(&server());
    let codes: Vec<_> = seen
        .json()
        .as_array()
        .unwrap()
        .iter()
        .map(|response| (response["id"].clone(), response["error"]["code"].clone()))
        .collect();
    assert_eq!(codes, [(json!(7), json!(-32602)), (json!(8), json!(-32602))]);
}

#[test]
fn a_notification_with_too_many_values_is_taken_and_not_read() {
    let body = json!({ "jsonrpc": "2.0", "method": "notifications/x", "params": { "x": "@" } });
    let body = body.to_string().replace("\"@\"", &many(100_000));
    let seen = Wire::post(body).header("mcp-protocol-version", "2025-06-18").run(&server());
    assert_eq!(seen.status, 202);
}

/// A text that says that there is more, and nothing of what was longer than an excerpt.
#[track_caller]
fn assert_short(seen: &Seen, what: &str) {
    let response = seen.response();
    let text = response["error"]["message"].as_str();
    let text = text.or(response["result"]["content"][0]["text"].as_str());
    let text = text.unwrap_or_else(|| panic!("{what}: {response}"));
    assert!(text.contains('\u{2026}'), "{what}: {text}");
    let quoted = text.chars().filter(|char| *char == '\u{fc}').count();
    assert!(quoted < 100 && text.len() < 600, "{what}: {quoted} of {text}");
}

#[test]
fn error_texts_quote_no_more_than_an_excerpt() {
    #[derive(Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "never gets that far")]
    struct Arguments {
        count: Option<u8>,
        ratio: Option<f32>,
        flag: Option<bool>,
        list: Option<Vec<String>>,
        tone: Option<Tone>,
        map: Option<std::collections::BTreeMap<String, u8>>,
        odd: Option<std::net::IpAddr>,
    }
    #[derive(Deserialize, JsonSchema)]
    enum Tone {
        Formal,
        Casual,
    }
    #[derive(Deserialize, JsonSchema)]
    #[expect(dead_code, reason = "never gets that far")]
    struct Remarks {
        count: u8,
    }
    let server = || {
        server()
            .tool(Tool::new("typed", async |_: Arguments| "no").description("x"))
            .tool(Tool::new("checked", async |_: Arguments| "no").description("x").enforce_schema())
            .prompt(Prompt::new("typed", async |_: Remarks| "no").description("x"))
    };
    let long = "\u{fc}".repeat(100_000);
    for tool in ["typed", "checked"] {
        for arguments in [
            json!({ "count": long }),
            json!({ "ratio": long }),
            json!({ "flag": long }),
            json!({ "list": long }),
            json!({ "tone": long }),
            json!({ &long: 1 }),
            json!({ "map": { &long: 300 } }),
            json!({ "map": { &long: { &long: 1 } } }),
        ] {
            let seen = Wire::call(tool, arguments.clone()).run(&server());
            let told = seen.response()["result"]["content"][0]["text"].as_str().unwrap().to_owned();
            assert!(told.len() < 600, "{tool}: {told}");
            if told.contains('\u{fc}') {
                assert_short(&seen, tool);
            }
        }
    }
    let legacy = |method: &str, params: Value| Wire::legacy("2025-06-18", method, params);
    let reference = json!({ "type": "ref/resource", "uri": long });
    let argument = json!({ "name": long, "value": "" });
    let prompt = json!({ "type": "ref/prompt", "name": "p" });
    for (what, wire) in [
        ("tool", legacy("tools/call", json!({ "name": long }))),
        ("method", legacy(&long, json!({}))),
        ("prompt", legacy("prompts/get", json!({ "name": long }))),
        (
            "typed",
            legacy("prompts/get", json!({ "name": "typed", "arguments": { "count": long } })),
        ),
        (
            "reference",
            legacy("completion/complete", json!({ "ref": reference, "argument": argument })),
        ),
        ("argument", legacy("completion/complete", json!({ "ref": prompt, "argument": argument }))),
        (
            "responses",
            Wire::modern("tools/call", json!({ "name": "asks", "inputResponses": { &long: 1 } })),
        ),
    ] {
        assert_short(&wire.run(&server()), what);
    }
}

#[test]
fn what_is_no_longer_than_an_excerpt_is_quoted_as_a_whole() {
    let seen = Wire::legacy("2025-06-18", "tools/call", json!({ "name": "x".repeat(100) }));
    let message = seen.run(&server()).json()["error"]["message"].clone();
    assert_eq!(message, format!("Unknown tool: {}", "x".repeat(100)));
}
