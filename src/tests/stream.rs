//! When an answer is JSON, when a stream, and what is on it.

use std::time::Duration;

use serde_json::{Value, json};

use super::wire::{Seen, Wire, modern_meta};
use crate::{CallToolResult, Context, LoggingLevel, NoArguments, Outcome, Server, Tool, ToolError};

fn server() -> Server {
    Server::new("stream", "1")
        .tool(Tool::new("quick", async |_: NoArguments| "done").description("x"))
        .tool(
            Tool::with_context("works", async |_: NoArguments, context: Context| {
                context.progress(1.0).await;
                context.progress(1.0).total(4.0).message("not more").await;
                context.progress(2.5).total(4.0).message("more").await;
                context.progress(f64::NAN).await;
                context.log(LoggingLevel::Info, json!({ "files": 3 })).await;
                context.log(LoggingLevel::Error, "bad").await;
                "done"
            })
            .description("x"),
        )
        .tool(
            Tool::new("never", async |_: NoArguments| std::future::pending::<()>().await)
                .description("x"),
        )
        .tool(Tool::new("early", async |_: NoArguments| "done").description("x").early_stream())
}

fn call(tool: &str, meta: &[(&str, Value)]) -> Wire {
    let mut params = json!({ "name": tool, "_meta": modern_meta() });
    for (key, value) in meta {
        params["_meta"][*key] = value.clone();
    }
    Wire::modern("tools/call", params)
}

fn methods(seen: &Seen) -> Vec<String> {
    let name = |event: &Value| event["method"].as_str().unwrap_or("(response)").to_owned();
    seen.events().iter().map(name).collect()
}

const LEVEL: &str = "io.modelcontextprotocol/logLevel";

#[test]
fn h13_a_silent_tool_is_answered_by_json() {
    let seen = call("quick", &[("progressToken", json!(1))]).run(&server());
    assert_eq!(seen.header("content-type"), Some("application/json"));
    assert_eq!(seen.header("cache-control"), Some("no-store"));
    assert_eq!(seen.header("content-length"), Some(seen.body.len().to_string().as_str()));
}

#[test]
fn h16_a_stream_looks_like_one() {
    let seen = call("works", &[("progressToken", json!(1))]).run(&server());
    assert_eq!(seen.status, 200);
    assert_eq!(seen.header("content-type"), Some("text/event-stream"));
    assert_eq!(seen.header("x-accel-buffering"), Some("no"));
    assert_eq!(seen.header("cache-control"), Some("no-cache, no-store"));
    assert_eq!(seen.header("content-length"), None);
    assert!(seen.body.starts_with("event: message\ndata: {"), "{}", seen.body);
    assert!(seen.body.ends_with("}\n\n"), "{}", seen.body);
    assert!(!seen.body.contains("\nid:") && !seen.body.contains("\nretry:"), "h3");
    let outcome = seen.trailers.unwrap();
    assert_eq!(outcome.texts("midge-exchange").next(), Some("outcome=ok"));
}

#[test]
fn o1_logs_need_a_level_and_reach_it() {
    let sent = |level: &str| methods(&call("works", &[(LEVEL, json!(level))]).run(&server()));
    assert_eq!(sent("debug"), ["notifications/message", "notifications/message", "(response)"]);
    assert_eq!(sent("error"), ["notifications/message", "(response)"]);
    let seen = call("works", &[(LEVEL, json!("alert"))]).run(&server());
    assert_eq!(seen.header("content-type"), Some("application/json"), "nothing to stream");
    let seen = call("works", &[]).run(&server());
    assert_eq!(seen.header("content-type"), Some("application/json"), "nothing asked for");
}

#[test]
fn o2_progress_increases_and_echoes_its_token() {
    for token in [json!("progress-1"), json!(17)] {
        let seen = call("works", &[("progressToken", token.clone())]).run(&server());
        let events = seen.events();
        assert_eq!(events.len(), 3, "{}", seen.body);
        assert_eq!(events[0]["params"], json!({ "progressToken": token, "progress": 1.0 }));
        assert_eq!(
            events[1]["params"],
            json!({ "progressToken": token, "progress": 2.5, "total": 4.0, "message": "more" })
        );
        assert_eq!(events[2]["id"], 1, "the response is last");
    }
    let odd = call("works", &[("progressToken", json!(1.5))]).run(&server());
    assert_eq!(odd.header("content-type"), Some("application/json"), "no token, no progress");
}

#[test]
fn h10_a_client_without_events_gets_json_and_no_notifications() {
    let wire = call("works", &[("progressToken", json!(1))]).set("accept", "application/json");
    let seen = wire.run(&server());
    assert_eq!(seen.header("content-type"), Some("application/json"));
    assert_eq!(seen.json()["result"]["content"][0]["text"], "done");
}

#[test]
fn h10_a_client_without_json_gets_one_event() {
    let seen = call("quick", &[]).set("accept", "text/event-stream").run(&server());
    assert_eq!(seen.header("content-type"), Some("text/event-stream"));
    assert_eq!(methods(&seen), ["(response)"]);
    let seen = call("nothing", &[]).set("accept", "text/event-stream").without("mcp-name");
    assert_eq!(seen.run(&server()).status, 400, "a status that matters stays one");
}

#[test]
fn a_quiet_handler_is_kept_alive_and_ends_at_the_time_limit() {
    let limited = || server().exchange_timeout(Duration::from_secs(1));
    // The first timer that is polled is the deadline's.
    let seen = call("never", &[]).timers(1).run(&limited());
    assert_eq!((seen.status, seen.outcome), (504, Outcome::TimedOut));
    assert_eq!(seen.json()["error"]["code"], -32603);
}

#[test]
fn h17_silence_turns_into_keep_alives() {
    let server = Server::new("quiet", "1").tool(
        Tool::new("naps", async |_: NoArguments| {
            for _ in 0..3 {
                futures_lite::future::yield_now().await;
            }
            "done"
        })
        .description("x"),
    );
    let seen = call("naps", &[]).timers(2).run(&server);
    assert_eq!(seen.header("content-type"), Some("text/event-stream"));
    assert_eq!(seen.writes[..2], [": keep-alive\n\n", ": keep-alive\n\n"]);
    assert_eq!(methods(&seen), ["(response)"]);
}

#[test]
fn an_early_stream_starts_before_the_handler() {
    let seen = call("early", &[]).run(&server());
    assert_eq!(seen.writes[0], ": keep-alive\n\n");
    assert_eq!(methods(&seen), ["(response)"]);
}

#[test]
fn an_early_stream_has_a_heartbeat_within_a_hosts_grace() {
    let naps = |name: &'static str| {
        Tool::new(name, async |_: NoArguments| futures_lite::future::yield_now().await)
            .description("x")
    };
    let server = Server::new("early", "1")
        .tool(naps("told").early_stream())
        .tool(naps("stubborn").run_to_completion());
    let silence = |tool| call(tool, &[]).run(&server).waits;
    assert_eq!(silence("told"), [Duration::from_millis(250)]);
    assert_eq!(silence("stubborn"), [Duration::from_secs(15)], "it is not to be told");
}

#[test]
fn a_client_that_takes_nothing_does_not_outlive_the_time_limit() {
    let limited = server().exchange_timeout(Duration::from_secs(1));
    for write in 0..3 {
        let wire = call("works", &[("progressToken", json!(1))]).stuck_at(write).timers(1);
        let seen = wire.run(&limited);
        assert_eq!(seen.outcome, Outcome::ClientGone, "write {write}");
        assert!(seen.abandoned, "write {write}: not even a panic can write to it");
    }
    let wire = call("quick", &[]).stuck_at(0).timers(1);
    assert_eq!(wire.run(&limited).outcome, Outcome::ClientGone, "the last write");
}

#[test]
fn the_longest_times_are_no_trouble() {
    let server = server().exchange_timeout(Duration::MAX).keep_alive(Duration::MAX);
    assert_eq!(call("works", &[("progressToken", json!(1))]).run(&server).status, 200);
}

#[test]
fn json_with_line_breaks_stays_one_event() {
    let pretty = "{\n  \"a\": \"b\\n\",\r\n  \"c\": 1\n}";
    let server = Server::new("raw", "1").tool(
        Tool::with_context("t", move |_: NoArguments, context: Context| async move {
            let raw = serde_json::value::RawValue::from_string(pretty.to_owned()).unwrap();
            context.progress(1.0).await;
            CallToolResult::new().structured(&raw).map_err(ToolError::internal)
        })
        .description("x"),
    );
    let seen = call("t", &[("progressToken", json!(1))]).run(&server);
    let events = seen.events();
    assert_eq!(events[1]["result"]["structuredContent"], json!({ "a": "b\n", "c": 1 }));
}

#[test]
fn t9_bad_arguments_tell_the_model_where_and_why() {
    #[derive(serde::Deserialize, schemars::JsonSchema)]
    #[expect(dead_code, reason = "never gets that far")]
    struct Order {
        items: Vec<Item>,
    }
    #[derive(serde::Deserialize, schemars::JsonSchema)]
    #[expect(dead_code, reason = "never gets that far")]
    struct Item {
        price: f64,
    }
    let server = Server::new("shop", "1")
        .tool(Tool::new("order", async |_: Order| Ok::<_, ToolError>("no")).description("x"));
    let arguments = json!({ "items": [{ "price": 1 }, { "price": "free" }] });
    let seen = Wire::call("order", arguments).run(&server);
    let result = &seen.json()["result"];
    assert_eq!((seen.status, seen.outcome), (200, Outcome::ToolError));
    assert_eq!(result["isError"], true);
    assert_eq!(
        result["content"][0]["text"],
        "Invalid arguments: `items[1].price`: must be a number"
    );
}
