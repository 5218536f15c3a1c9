//! What clients send that are in use, and what they make of the answers.

mod http;

use std::collections::BTreeMap;

use futures_lite::stream;
use serde_json::{Value, json};

use super::wire::{LEGACY, Seen, Wire, modern_message, modern_meta};
use crate::{Context, NoArguments, Prompt, Server, Subscriptions, Tool, ToolError};

#[derive(Debug, serde::Deserialize, schemars::JsonSchema)]
#[expect(dead_code, reason = "only its debug output is looked at")]
struct Optional {
    word: Option<String>,
}

#[derive(Debug, serde::Deserialize, schemars::JsonSchema)]
#[expect(dead_code, reason = "only its debug output is looked at")]
struct Order {
    count: Option<u8>,
    note: Option<String>,
}

fn server() -> Server {
    Server::new("real", "1")
        .tool(Tool::new("none", async |_: NoArguments| "called").description("x"))
        .tool(Tool::new("map", async |_: BTreeMap<String, String>| ()).description("x"))
        .tool(Tool::new("word", async |args: Optional| format!("{args:?}")).description("x"))
        .tool(
            Tool::new("breaks", async |_: NoArguments| {
                Err::<(), _>(ToolError::internal("the password is 1234"))
            })
            .description("x"),
        )
        .tool(
            Tool::with_context("talks", async |_: NoArguments, context: Context| {
                context.progress(1.0).await;
                Err::<(), _>(ToolError::new("no luck"))
            })
            .description("x"),
        )
        .prompt(
            Prompt::new("order", async |args: Order| format!("{args:?}"))
                .description("x")
                .complete_from("note", &["a"]),
        )
        .subscriptions(Subscriptions::stream(|_| stream::empty()).tools())
        .allow_origin("https://app.example.com")
}

/// A request as it is written, with the headers of a modern client.
fn modern_text(method: &str, body: &str) -> Wire {
    Wire::post(body).header("mcp-protocol-version", "2026-07-28").header("mcp-method", method)
}

fn text(seen: &Seen) -> String {
    let json = seen.response();
    let text = json["result"]["content"][0]["text"].as_str();
    text.unwrap_or_else(|| panic!("{json}")).to_owned()
}

/// Why a request was refused.
fn message(seen: &Seen) -> String {
    let json = seen.response();
    json["error"]["message"].as_str().unwrap_or_else(|| panic!("{json}")).to_owned()
}

#[test]
fn a3_every_tool_publishes_properties() {
    for version in LEGACY {
        let listed = Wire::legacy(version, "tools/list", json!({})).run(&server()).result();
        let schema = |index: usize| listed["tools"][index]["inputSchema"].clone();
        assert_eq!(
            schema(0),
            json!({ "type": "object", "properties": {}, "additionalProperties": false })
        );
        assert_eq!(
            schema(1),
            json!({
                "type": "object",
                "properties": {},
                "additionalProperties": { "type": "string" },
            })
        );
    }
    let other = Wire::call("none", json!({ "unknown": 1 })).run(&server());
    assert_eq!(text(&other), "called", "members are ignored all the same");
}

#[test]
fn a4_null_for_an_optional_member_is_absent() {
    let list = |params: Value| Wire::modern("tools/list", params).run(&server());
    assert_eq!(list(json!({ "cursor": null })).status, 200);
    let mut meta = modern_meta();
    for key in ["io.modelcontextprotocol/logLevel", "io.modelcontextprotocol/clientInfo"] {
        meta[key] = Value::Null;
    }
    meta["progressToken"] = Value::Null;
    assert_eq!(list(json!({ "_meta": meta })).status, 200);
    assert_eq!(text(&Wire::call("none", Value::Null).run(&server())), "called");
    let again = json!({ "name": "none", "requestState": null, "inputResponses": null });
    assert_eq!(text(&Wire::modern("tools/call", again).run(&server())), "called");
    let prompt = |arguments: Value| {
        let params = json!({ "name": "order", "arguments": arguments });
        Wire::modern("prompts/get", params).run(&server()).result()
    };
    let none = prompt(Value::Null);
    assert_eq!(prompt(json!({ "count": null, "note": null }))["messages"], none["messages"]);
    for version in LEGACY {
        for params in [Value::Null, json!({ "_meta": null })] {
            assert_eq!(Wire::legacy(version, "ping", params).run(&server()).result(), json!({}));
        }
        let call = json!({ "name": "none", "arguments": null, "_meta": { "progressToken": null } });
        assert_eq!(text(&Wire::legacy(version, "tools/call", call).run(&server())), "called");
    }
    let complete = |context: Value| {
        let params = json!({
            "ref": { "type": "ref/prompt", "name": "order" },
            "argument": { "name": "note", "value": "" },
            "context": context,
        });
        Wire::modern("completion/complete", params).run(&server()).result()["completion"].clone()
    };
    let values = json!(["a"]);
    for context in
        [Value::Null, json!({ "arguments": null }), json!({ "arguments": { "x": null } })]
    {
        assert_eq!(complete(context.clone())["values"], values, "{context}");
    }
    let listen =
        json!({ "notifications": { "toolsListChanged": true, "promptsListChanged": null } });
    let listen = Wire::modern("subscriptions/listen", listen).timers(9).run(&server());
    assert_eq!(listen.status, 200, "{}", listen.body);
}

#[test]
fn a4_null_for_a_required_member_is_missing() {
    for (method, params, missing) in [
        ("tools/call", json!({ "name": null }), "name"),
        ("prompts/get", json!({ "name": null }), "name"),
        ("subscriptions/listen", json!({ "notifications": null }), "notifications"),
        ("completion/complete", json!({ "ref": null }), "ref"),
        ("completion/complete", json!({ "ref": { "type": null }, "argument": {} }), "ref.type"),
    ] {
        let seen = Wire::modern(method, params.clone()).run(&server());
        assert_eq!(message(&seen), format!("Invalid params: `{missing}` is missing"), "{params}");
    }
    let initialize = |capabilities: Value, client: Value| {
        let params = json!({
            "protocolVersion": "2025-06-18",
            "capabilities": capabilities,
            "clientInfo": client,
        });
        message(&Wire::legacy("2025-06-18", "initialize", params).run(&server()))
    };
    let missing = "Invalid params: `capabilities` is missing";
    assert_eq!(initialize(Value::Null, json!({})), missing);
    assert_eq!(initialize(json!({}), Value::Null), "Invalid params: `clientInfo` is missing");
    let mut meta = modern_meta();
    meta["io.modelcontextprotocol/clientCapabilities"] = Value::Null;
    let seen = Wire::modern("tools/list", json!({ "_meta": meta })).run(&server());
    assert_eq!(message(&seen), "Invalid params: _meta must have clientCapabilities");
    let method = Wire::post(r#"{"jsonrpc":"2.0","id":1,"method":null}"#).run(&server());
    assert_eq!(message(&method), "Invalid request: `method` is missing");
    let id = Wire::post(r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#).run(&server());
    assert_eq!(id.refusal(), (400, -32600), "no notification");
}

#[test]
fn a5_an_empty_array_is_an_empty_object() {
    assert_eq!(text(&Wire::call("none", json!([])).run(&server())), "called");
    assert_eq!(text(&Wire::call("word", json!([])).run(&server())), "Optional { word: None }");
    let order = json!({ "name": "order", "arguments": [] });
    let order = Wire::modern("prompts/get", order).run(&server());
    assert_eq!(order.status, 200, "{}", order.body);
    let ping = Wire::legacy("2025-06-18", "ping", json!([])).run(&server());
    assert_eq!(ping.result(), json!({}));
    let mut meta = modern_meta();
    meta["io.modelcontextprotocol/clientCapabilities"] = json!([]);
    meta["io.modelcontextprotocol/clientInfo"] = json!([]);
    let list = Wire::modern("tools/list", json!({ "_meta": meta })).run(&server());
    assert_eq!(list.status, 200, "{}", list.body);
    let listen = Wire::modern("subscriptions/listen", json!({ "notifications": [] }));
    assert_eq!(listen.timers(9).run(&server()).status, 200);
    let refused = |wire: Wire| wire.run(&server()).refusal();
    assert_eq!(refused(Wire::call("none", json!([1]))), (200, -32602));
    assert_eq!(refused(Wire::call("none", json!([[]]))), (200, -32602));
    let listed = json!({ "name": "order", "arguments": ["x"] });
    assert_eq!(refused(Wire::modern("prompts/get", listed)), (200, -32602));
    assert_eq!(refused(Wire::legacy("2025-06-18", "ping", json!([1]))), (400, -32600));
}

#[test]
fn a6_integers_of_any_size_come_back_digit_for_digit() {
    let digits = "7".repeat(60);
    for id in [
        "9223372036854775807",
        "9223372036854775808",
        "18446744073709551616",
        "-9223372036854775809",
        &digits,
    ] {
        for (method, expected) in [("tools/list", "\"result\":"), ("no/such", "\"error\":")] {
            let body = modern_message(method, json!({})).to_string();
            let body = body.replace("\"id\":1,", &format!("\"id\":{id},"));
            let seen = modern_text(method, &body).run(&server());
            assert!(
                seen.body.starts_with(&format!(r#"{{"jsonrpc":"2.0","id":{id},{expected}"#)),
                "{}",
                seen.body
            );
            assert!(seen.header("midge-exchange").unwrap().contains(&format!("&id={id}&")));
        }
        let broken = Wire::post(format!(r#"{{"jsonrpc":"1.0","id":{id},"method":"ping"}}"#));
        assert!(broken.run(&server()).body.contains(&format!(r#""id":{id},"#)));
    }
    let mut meta = modern_meta();
    meta["progressToken"] = json!("@");
    let body = modern_message("tools/call", json!({ "name": "talks", "_meta": meta })).to_string();
    let body = body.replace("\"@\"", "18446744073709551616");
    let seen = modern_text("tools/call", &body).header("mcp-name", "talks").run(&server());
    assert!(seen.body.contains(r#""progressToken":18446744073709551616"#), "{}", seen.body);
}

#[test]
fn a6_an_id_with_a_fraction_is_refused_by_name() {
    let id = |id: &str| {
        let body = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"ping"}}"#);
        let seen = Wire::post(body).run(&server());
        assert_eq!(seen.refusal(), (400, -32600), "{id}");
        let text =
            "Invalid request: `id` must be a string or an integer, without fraction or exponent";
        assert_eq!(message(&seen), text);
        seen.json().get("id").cloned()
    };
    assert_eq!(id("1.0"), Some(json!(1)), "what can be read is echoed");
    assert_eq!(id("-2.0"), Some(json!(-2)));
    for unreadable in ["1.5", "1e2", "1.0e2", "1.00", "null", "[1]", "true"] {
        assert_eq!(id(unreadable), None, "{unreadable}");
    }
}

#[test]
fn a8_an_empty_argument_that_is_no_text_is_absent() {
    let params = json!({ "name": "order", "arguments": { "count": "", "note": "" } });
    let result = Wire::modern("prompts/get", params).run(&server()).result();
    let told = "Order { count: None, note: Some(\"\") }";
    assert_eq!(result["messages"][0]["content"]["text"], told);
}
