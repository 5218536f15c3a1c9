//! Who speaks, and what is remembered of them.

use std::cell::Cell;
use std::rc::Rc;

use serde_json::json;

use super::talk::Talk;
use crate::tests::wire::LEGACY;
use crate::{Context, Json, LoggingLevel, NoArguments, Server, Tool};

fn server() -> Server {
    Server::new("eras", "1")
        .tool(
            Tool::new("list", async |_: NoArguments| Json(vec![1, 2]))
                .title("List")
                .description("x"),
        )
        .tool(
            Tool::with_context("logs", async |_: NoArguments, context: Context| {
                context.log(LoggingLevel::Debug, "debug").await;
                context.log(LoggingLevel::Info, "info").await;
                context.log(LoggingLevel::Error, "error").await;
                context.protocol_version().to_string()
            })
            .description("x"),
        )
}

/// The versions by which legacy clients may call, each in its own words.
fn logged(talk: &mut Talk) -> (Vec<String>, String) {
    talk.ask_legacy(1, "tools/call", json!({ "name": "logs" }));
    let mut heard = talk.heard();
    let answer = heard.pop().unwrap();
    let data = heard.iter().map(|log| log["params"]["data"].as_str().unwrap().to_owned());
    (data.collect(), answer["result"]["content"][0]["text"].as_str().unwrap().to_owned())
}

#[test]
fn modern_requests_carry_all_they_say() {
    let mut talk = Talk::with(server);
    talk.call(7, "list");
    let answer = talk.heard_one();
    assert_eq!(answer["id"], 7);
    assert_eq!(answer["result"]["resultType"], "complete");
    assert_eq!(answer["result"]["structuredContent"], json!([1, 2]));
    talk.ask("d", "server/discover", json!({}));
    assert_eq!(talk.heard_one()["result"]["supportedVersions"], json!(["2026-07-28"]));
}

#[test]
fn modern_requests_are_checked_but_for_headers() {
    let mut talk = Talk::with(server);
    let meta = json!({ "io.modelcontextprotocol/protocolVersion": "2026-07-28" });
    talk.ask(1, "tools/list", json!({ "_meta": meta }));
    assert_eq!(talk.refusal(), (json!(1), -32602), "no capabilities");
    let meta = json!({
        "io.modelcontextprotocol/protocolVersion": "2027-01-01",
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    talk.ask(2, "tools/list", json!({ "_meta": meta }));
    assert_eq!(talk.refusal(), (json!(2), -32022));
    talk.ask(3, "initialize", json!({}));
    assert_eq!(talk.refusal(), (json!(3), -32601));
    talk.call(4, "nothing");
    assert_eq!(talk.refusal(), (json!(4), -32602));
}

#[test]
fn arguments_that_http_repeats_in_headers_need_none() {
    let mut talk = Talk::with(|| {
        let tool = Tool::new("find", async |args: Find| args.region).description("x");
        Server::new("params", "1").tool(tool.header_params())
    });
    let params = json!({ "name": "find", "arguments": { "region": "eu" } });
    talk.ask(1, "tools/call", params);
    assert_eq!(talk.heard_one()["result"]["content"][0]["text"], "eu");
}

#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Find {
    #[schemars(extend("x-mcp-header" = "Region"))]
    region: String,
}

#[test]
fn the_version_of_the_handshake_is_remembered() {
    for version in LEGACY {
        let mut talk = Talk::with(server);
        assert_eq!(talk.initialize(version)["protocolVersion"], version);
        assert_eq!(logged(&mut talk).1, version);
        talk.ask_legacy(2, "tools/list", json!({}));
        let list = talk.heard_one()["result"].clone();
        let has_title = list["tools"][0].get("title").is_some();
        assert_eq!(has_title, version >= "2025-06-18", "{version}: {list}");
        assert!(list.get("resultType").is_none(), "{version}");
    }
    let mut talk = Talk::with(server);
    assert_eq!(talk.initialize("1999-01-01")["protocolVersion"], "2025-11-25");
    assert_eq!(logged(&mut talk).1, "2025-11-25");
    assert_eq!(talk.initialize("2025-03-26")["protocolVersion"], "2025-03-26");
    assert_eq!(logged(&mut talk).1, "2025-03-26", "the last handshake counts");
}

#[test]
fn without_a_handshake_the_oldest_version_is_meant() {
    assert_eq!(logged(&mut Talk::with(server)).1, "2025-03-26");
}

#[test]
fn the_log_level_is_remembered() {
    let mut talk = Talk::with(server);
    talk.initialize("2025-06-18");
    assert_eq!(logged(&mut talk).0, ["info", "error"]);
    talk.ask_legacy(1, "logging/setLevel", json!({ "level": "debug" }));
    assert_eq!(talk.heard_one()["result"], json!({}));
    assert_eq!(logged(&mut talk).0, ["debug", "info", "error"]);
    talk.ask_legacy(1, "logging/setLevel", json!({ "level": "loud" }));
    assert_eq!(talk.refusal(), (json!(1), -32602));
    assert_eq!(logged(&mut talk).0, ["debug", "info", "error"], "what was refused is not set");
    talk.ask_legacy(1, "logging/setLevel", json!({ "level": "error" }));
    talk.heard();
    assert_eq!(logged(&mut talk).0, ["error"]);
    talk.call(2, "logs");
    assert_eq!(talk.answered(), [2], "a modern request says its own level, or none");
    assert_eq!(logged(&mut Talk::with(server)).0, ["info", "error"], "of another connection");
}

#[test]
fn both_eras_share_a_connection() {
    let mut talk = Talk::with(server);
    talk.initialize("2025-06-18");
    talk.call(1, "logs");
    assert_eq!(talk.heard_one()["result"]["content"][0]["text"], "2026-07-28");
    assert_eq!(logged(&mut talk).1, "2025-06-18");
    talk.ask_legacy("p", "ping", json!({}));
    assert_eq!(talk.heard_one(), json!({ "jsonrpc": "2.0", "id": "p", "result": {} }));
}

#[test]
fn each_message_gets_a_server_of_its_own() {
    let built = Rc::new(Cell::new(0));
    let count = Rc::clone(&built);
    let mut talk = Talk::with(move || {
        count.set(count.get() + 1);
        let calls = Rc::new(Cell::new(0));
        let tool = Tool::new("count", move |_: NoArguments| {
            calls.set(calls.get() + 1);
            let calls = calls.get();
            async move { format!("call {calls}") }
        });
        Server::new("counts", "1").tool(tool.description("x"))
    });
    for _ in 0..3 {
        talk.call(1, "count");
        assert_eq!(talk.heard_one()["result"]["content"][0]["text"], "call 1");
    }
    assert!(built.get() >= 3);
}
