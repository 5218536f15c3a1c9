//! The legacy revisions, answered without sessions.

use serde_json::{Value, json};

use super::wire::{Seen, Wire};
use crate::{
    ClientCapabilities, ContentBlock, Context, Icon, Json, LoggingLevel, NoArguments, ResourceLink,
    Server, Tool,
};

fn server() -> Server {
    Server::new("legacy", "1")
        .title("Legacy")
        .description("A server")
        .tool(
            Tool::new("link", async |_: NoArguments| {
                ContentBlock::resource_link(
                    ResourceLink::new("file:///a", "a").icon(Icon::new("x")),
                )
            })
            .description("Links.")
            .title("Link")
            .icon(Icon::new("https://example.com/i.png"))
            .meta("example.com/a", 1),
        )
        .tool(Tool::new("list", async |_: NoArguments| Json(vec![1, 2])).description("An array."))
        .tool(
            Tool::new("any", async |args: Anything| Json(args))
                .description("Takes anything at all."),
        )
        .tool(
            Tool::new("asks", async |_: NoArguments| ())
                .description("Needs the client.")
                .requires(ClientCapabilities::none().with_elicitation()),
        )
        .tool(
            Tool::with_context("logs", async |_: NoArguments, context: Context| {
                context.log(LoggingLevel::Debug, "no").await;
                context.log(LoggingLevel::Info, "yes").await;
            })
            .description("Logs."),
        )
}

#[derive(serde::Deserialize, serde::Serialize, schemars::JsonSchema)]
struct Anything {
    value: serde_json::Value,
}

fn legacy(version: &str, method: &str, params: Value) -> Seen {
    let message = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
    Wire::post(message.to_string()).header("mcp-protocol-version", version).run(&server())
}

fn tool(version: &str, index: usize) -> Value {
    legacy(version, "tools/list", json!({})).json()["result"]["tools"][index].clone()
}

#[test]
fn l1_initialize_answers_a_legacy_version() {
    let initialize = |version: &str| {
        let params = json!({
            "protocolVersion": version,
            "capabilities": {},
            "clientInfo": { "name": "c", "version": "1" },
        });
        let message =
            json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params });
        Wire::post(message.to_string()).run(&server())
    };
    for (asked, answered) in [
        ("2025-03-26", "2025-03-26"),
        ("2025-06-18", "2025-06-18"),
        ("2025-11-25", "2025-11-25"),
        ("2024-11-05", "2025-11-25"),
        ("2026-07-28", "2025-11-25"),
    ] {
        let seen = initialize(asked);
        assert_eq!(seen.status, 200);
        assert_eq!(seen.json()["result"]["protocolVersion"], answered, "asked for {asked}");
        assert_eq!(seen.header("mcp-session-id"), None);
    }
    let info = |version| initialize(version).json()["result"]["serverInfo"].clone();
    assert_eq!(info("2025-03-26"), json!({ "name": "legacy", "version": "1" }));
    assert_eq!(info("2025-06-18"), json!({ "name": "legacy", "version": "1", "title": "Legacy" }));
    assert_eq!(info("2025-11-25")["description"], "A server");
    let incomplete = legacy("2025-06-18", "initialize", json!({ "protocolVersion": "2025-06-18" }));
    assert_eq!((incomplete.status, &incomplete.json()["error"]["code"]), (200, &json!(-32602)));
}

#[test]
fn a9_a_client_of_2024_11_05_is_offered_the_newest_legacy_version() {
    // The specification lets it disconnect. One that goes on names no version, since headers for it
    // are younger, and is answered as a client of 2025-03-26.
    let params = json!({
        "protocolVersion": "2024-11-05",
        "capabilities": {},
        "clientInfo": { "name": "old", "version": "1" },
    });
    let post = |method: &str, params: Value| {
        let message = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        Wire::post(message.to_string()).run(&server())
    };
    assert_eq!(post("initialize", params).result()["protocolVersion"], "2025-11-25");
    let done = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
    assert_eq!(Wire::post(done.to_string()).run(&server()).status, 202);
    let tool = &post("tools/list", json!({})).result()["tools"][0];
    let members: Vec<_> = tool.as_object().unwrap().keys().collect();
    assert_eq!(members, ["description", "inputSchema", "name"]);
    let called = post("tools/call", json!({ "name": "link" })).result();
    assert_eq!(called["content"][0]["type"], "text", "it knows no links");
    assert_eq!(post("ping", json!({})).result(), json!({}));
    let named = legacy("2024-11-05", "tools/list", json!({}));
    assert_eq!(named.refusal(), (400, -32022));
}

#[test]
fn l3_empty_results_are_empty() {
    let ping = legacy("2025-11-25", "ping", json!({}));
    assert_eq!(ping.body, r#"{"jsonrpc":"2.0","id":1,"result":{}}"#);
    let level = legacy("2025-11-25", "logging/setLevel", json!({ "level": "debug" }));
    assert_eq!(level.body, r#"{"jsonrpc":"2.0","id":1,"result":{}}"#);
    let bad = legacy("2025-11-25", "logging/setLevel", json!({ "level": "loud" }));
    assert_eq!(bad.json()["error"]["code"], -32602);
}

#[test]
fn l5_unknown_methods_are_not_404() {
    for method in ["unknown", "server/discover", "resources/subscribe", "tasks/list"] {
        let seen = legacy("2025-06-18", method, json!({}));
        assert_eq!((seen.status, &seen.json()["error"]["code"]), (200, &json!(-32601)), "{method}");
    }
}

#[test]
fn l6_logs_from_info_on_are_sent() {
    let seen = legacy("2025-06-18", "tools/call", json!({ "name": "logs" }));
    let events = seen.events();
    assert_eq!(events.len(), 2, "{}", seen.body);
    assert_eq!(events[0]["params"], json!({ "level": "info", "data": "yes" }));
}

#[test]
fn l7_batches_are_part_of_one_version() {
    let message = |id: u32, method: &str, params: Value| json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
    let batch = json!([
        message(1, "ping", json!({})),
        { "jsonrpc": "2.0", "method": "notifications/initialized" },
        message(2, "initialize", json!({})),
        message(3, "tools/call", json!({ "name": "list" })),
        5,
    ]);
    let seen = Wire::post(batch.to_string()).run(&server());
    let answers = seen.json();
    assert_eq!(answers.as_array().unwrap().len(), 4, "{answers}");
    assert_eq!(answers[0], json!({ "jsonrpc": "2.0", "id": 1, "result": {} }));
    assert_eq!(answers[1]["error"]["code"], -32600);
    assert_eq!(answers[2]["result"]["content"][0]["text"], "[1,2]");
    assert_eq!(answers[3]["error"]["code"], -32600);
    let only = json!([{ "jsonrpc": "2.0", "method": "notifications/initialized" }]).to_string();
    assert_eq!(Wire::post(only).run(&server()).status, 202);
    for (body, version) in [("[]", "2025-03-26"), ("[1]", "2025-06-18")] {
        let seen = Wire::post(body).header("mcp-protocol-version", version).run(&server());
        assert_eq!((seen.status, &seen.json()["error"]["code"]), (400, &json!(-32600)), "{body}");
    }
    let many = format!("[{}]", vec!["1"; 101].join(","));
    assert_eq!(Wire::post(many).run(&server()).status, 400, "an array is bounded");
}

#[test]
fn l7_a_batch_becomes_a_stream_with_its_first_notification() {
    let call = |id: u32, name: &str| json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": { "name": name } });
    let batch = json!([call(1, "list"), call(2, "logs"), call(3, "list")]).to_string();
    let seen = Wire::post(batch).run(&server());
    let events = seen.events();
    let ids: Vec<_> = events.iter().map(|event| event["id"].clone()).collect();
    assert_eq!(ids, [json!(1), Value::Null, json!(2), json!(3)], "{}", seen.body);
}

#[test]
fn l8_progress_tokens_do_not_make_a_client_modern() {
    let params = json!({ "name": "list", "_meta": { "progressToken": 1 } });
    assert!(
        legacy("2025-06-18", "tools/call", params).json()["result"].get("resultType").is_none()
    );
}

#[test]
fn l10_results_that_are_no_objects_stay_text() {
    for version in ["2025-03-26", "2025-06-18", "2025-11-25"] {
        assert_eq!(tool(version, 1).get("outputSchema"), None, "{version}");
        let seen = legacy(version, "tools/call", json!({ "name": "list" }));
        assert_eq!(
            seen.json()["result"],
            json!({ "content": [{ "type": "text", "text": "[1,2]" }] }),
            "{version}"
        );
    }
}

#[test]
fn l11_property_schemas_are_objects() {
    let listed = tool("2025-11-25", 2);
    assert_eq!(listed["inputSchema"]["properties"]["value"], json!({}));
    assert_eq!(listed["outputSchema"]["properties"]["value"], json!({}));
}

#[test]
fn versions_carry_what_they_know() {
    let keys = |version| {
        let tool = tool(version, 0);
        ["title", "_meta", "icons"].map(|key| tool.get(key).is_some())
    };
    assert_eq!(keys("2025-03-26"), [false, false, false]);
    assert_eq!(keys("2025-06-18"), [true, true, false]);
    assert_eq!(keys("2025-11-25"), [true, true, true]);
    let link = |version| {
        legacy(version, "tools/call", json!({ "name": "link" })).json()["result"]["content"][0]
            .clone()
    };
    assert_eq!(link("2025-03-26"), json!({ "type": "text", "text": "a: file:///a" }));
    assert_eq!(
        link("2025-06-18"),
        json!({ "type": "resource_link", "uri": "file:///a", "name": "a" })
    );
    assert!(link("2025-11-25").get("icons").is_some());
}

#[test]
fn what_needs_the_client_says_so_at_once() {
    let seen = legacy("2025-11-25", "tools/call", json!({ "name": "asks" }));
    let result = &seen.json()["result"];
    assert_eq!(result["isError"], true);
    assert_eq!(
        result["content"][0]["text"],
        "This needs a capability of the client, which this server can know of only with protocol \
         2026-07-28"
    );
}
