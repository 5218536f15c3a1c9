//! What goes over the wire, message by message, as files to look at: `golden/*.snap`.
//!
//! After a change that is meant, `INSTA_UPDATE=always cargo test -p midge-tests golden` writes
//! them anew, and the difference is for the reviewer.

use midge_tests::{Answer, Message, Serving, guests};
use serde_json::json;

/// What differs from run to run: the time, and how the body is framed (a stream that is over
/// before its head has left goes out as a whole).
const FLEETING: [&str; 3] = ["date", "content-length", "transfer-encoding"];

/// The answer, but for what differs from run to run.
fn shown(answer: &Answer) -> String {
    let mut headers: Vec<String> = answer
        .headers
        .iter()
        .filter(|(name, _)| !FLEETING.contains(&name.as_str()))
        .map(|(name, value)| format!("{name}: {}", String::from_utf8_lossy(value.as_bytes())))
        .collect();
    headers.sort();
    format!("{}\n{}\n\n{}", answer.status, headers.join("\n"), answer.text())
}

/// Compares the answers of the demo with files of these names.
async fn check(messages: Vec<(&str, Message)>) {
    let serving = Serving::of(guests::DEMO).await;
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("golden");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    for (name, message) in messages {
        let answer = shown(&serving.send(&message).await);
        settings.bind(|| insta::assert_snapshot!(name, answer));
    }
}

#[tokio::test]
async fn modern() {
    let call = Message::call;
    let list = || Message::modern("tools/list", json!({}));
    check(vec![
        ("discover", Message::modern("server/discover", json!({}))),
        ("tools_list", list()),
        ("tools_call_text", call("greet", json!({"name": "you"}))),
        ("tools_call_structured", call("count_words", json!({"text": "one two\nthree"}))),
        ("tools_call_progress", call("countdown", json!({"seconds": 1})).with_progress()),
        (
            "tools_call_log",
            call("fetch", json!({"url": "http://a.test/"})).meta("logLevel", "info"),
        ),
        ("tools_call_failed", call("divide", json!({"dividend": 1, "divisor": 0}))),
        ("tools_call_bad_arguments", call("divide", json!({"dividend": "x", "divisor": 1}))),
        ("error_parse", Message::of_bytes("{")),
        ("error_invalid_request", Message::of_json(&json!({"jsonrpc": "1.0", "id": 1}))),
        ("error_method_not_found", Message::modern("no/such", json!({}))),
        ("error_invalid_params", list().without_meta("clientCapabilities")),
        ("error_unknown_tool", call("nothing", json!({}))),
        ("error_header_mismatch", list().with("mcp-method", "tools/call")),
        (
            "error_version",
            list().meta("protocolVersion", "2099").with("mcp-protocol-version", "2099"),
        ),
        ("refused_origin", list().header("origin", "https://evil.example.com")),
        ("refused_method", list().verb("GET")),
    ])
    .await;
}

#[tokio::test]
async fn legacy() {
    let at = |version: &str, message: Message| message.with("mcp-protocol-version", version);
    let count = || Message::legacy_call("count_words", json!({"text": "one two"}));
    let list = || Message::legacy("tools/list", json!({}));
    check(vec![
        ("legacy_initialize", Message::initialize()),
        ("legacy_initialized", Message::notification("notifications/initialized")),
        ("legacy_ping", Message::legacy("ping", json!({}))),
        ("legacy_set_level", Message::legacy("logging/setLevel", json!({"level": "debug"}))),
        ("legacy_tools_list_2025-11-25", list()),
        ("legacy_tools_list_2025-06-18", at("2025-06-18", list())),
        ("legacy_tools_list_2025-03-26", at("2025-03-26", list())),
        ("legacy_tools_call_2025-11-25", count()),
        ("legacy_tools_call_2025-03-26", at("2025-03-26", count())),
        ("legacy_method_not_found", Message::legacy("no/such", json!({}))),
    ])
    .await;
}
