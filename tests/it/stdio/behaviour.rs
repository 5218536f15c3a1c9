//! What clients get while they are there.

use midge_tests::guests;
use serde_json::{Value, json};

use super::process::{Process, Runner, complaints, modern_call};

fn text(answer: &Value) -> &str {
    answer["result"]["content"][0]["text"].as_str().unwrap_or_else(|| panic!("no text: {answer}"))
}

/// A test of the same things under each runner.
macro_rules! under_both {
    ($($name:ident),* $(,)?) => {
        mod midge {
            $(#[tokio::test]
            async fn $name() {
                super::$name(super::Runner::Midge).await;
            })*
        }
        mod wasmtime {
            $(#[tokio::test]
            async fn $name() {
                super::$name(super::Runner::Wasmtime).await;
            })*
        }
    };
}

under_both!(
    both_eras_are_served,
    a_line_that_is_no_message_is_refused,
    answers_come_in_any_order,
    what_is_cancelled_stops,
    the_end_of_the_input_ends_it,
    a_tool_that_panics_is_answered,
    a_panic_in_a_stream_is_answered,
    a_panic_over_arguments_is_answered,
    what_is_finished_is_answered_before_a_panic,
    many_requests_at_once_are_all_answered,
    large_answers_are_whole,
);

async fn both_eras_are_served(runner: Runner) {
    let Some(mut process) = Process::start(runner, guests::HELLO, &[]).await else { return };
    process.call(1, "greet", json!({"name": "Ada"})).await;
    let answer = process.hear().await;
    assert_eq!((&answer["id"], text(&answer)), (&json!(1), "Hello, Ada!"));
    assert_eq!(answer["result"]["resultType"], "complete");
    let client = json!({"name": "test", "version": "1"});
    let params = json!({"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": client});
    process
        .say(&json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params}))
        .await;
    assert_eq!(process.hear().await["result"]["protocolVersion"], "2025-06-18");
    process.say(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"})).await;
    let params = json!({"name": "greet", "arguments": {"name": "Bob"}});
    process
        .say(&json!({"jsonrpc": "2.0", "id": "b", "method": "tools/call", "params": params}))
        .await;
    let answer = process.hear().await;
    assert_eq!((&answer["id"], text(&answer)), (&json!("b"), "Hello, Bob!"));
    assert!(answer["result"].get("resultType").is_none(), "{answer}");
    process.close_input();
    process.hear_the_end().await;
    process.ended_well().await;
}

async fn a_line_that_is_no_message_is_refused(runner: Runner) {
    let Some(mut process) = Process::start(runner, guests::HELLO, &[]).await else { return };
    process.send(b"no JSON\n\n").await;
    let answer = process.hear().await;
    assert_eq!((answer["error"]["code"].as_i64(), answer.get("id")), (Some(-32700), None));
    let long = vec![b'x'; 5 << 20];
    process.send(&long).await;
    assert_eq!(process.hear().await["error"]["code"], -32600);
    process.send(&long).await;
    process.send(b"\n").await;
    process.call(1, "greet", json!({"name": "Ada"})).await;
    assert_eq!(text(&process.hear().await), "Hello, Ada!");
    process.close_input();
    process.hear_the_end().await;
    process.ended_well().await;
}

async fn answers_come_in_any_order(runner: Runner) {
    let Some(mut process) = Process::start(runner, guests::ANSWERS, &[]).await else { return };
    process.call(1, "holds", json!({"ms": 60_000})).await;
    process.call(2, "sleeps", json!({"ms": 200})).await;
    process.call(3, "progress", json!({"steps": 2, "ms": 20})).await;
    let mut heard = Vec::new();
    for _ in 0..4 {
        let message = process.hear().await;
        let step = message["params"]["progress"].as_f64();
        heard.push(
            step.map_or_else(|| format!("answer {}", message["id"]), |s| format!("step {s}")),
        );
    }
    assert_eq!(heard, ["step 1", "step 2", "answer 3", "answer 2"]);
    process.call(4, "logs", json!({})).await;
    assert_eq!(process.hear().await["method"], "notifications/message");
    assert_eq!(process.answer().await["id"], 4);
    process.cancel(1).await;
    process.close_input();
    process.hear_the_end().await;
    process.ended_well().await;
}

async fn what_is_cancelled_stops(runner: Runner) {
    let Some(mut process) = Process::start(runner, guests::ANSWERS, &[]).await else { return };
    process.call(1, "defers_and_holds", json!({"ms": 1})).await;
    process.call(2, "sized", json!({"bytes": 1})).await;
    assert_eq!(process.hear().await["id"], 2);
    process.cancel(1).await;
    process.until_printed("guard dropped").await;
    process.until_printed("deferred work done").await;
    process.call(3, "sized", json!({"bytes": 1})).await;
    assert_eq!(process.hear().await["id"], 3);
    process.close_input();
    process.hear_the_end().await;
    process.ended_well().await;
}

async fn the_end_of_the_input_ends_it(runner: Runner) {
    let Some(mut process) = Process::start(runner, guests::ANSWERS, &[]).await else { return };
    process.call(1, "sleeps", json!({"ms": 300})).await;
    process.close_input();
    assert_eq!(text(&process.hear().await), "slept 300 ms");
    process.hear_the_end().await;
    let printed = process.ended_well().await;
    assert!(!printed.contains("client-gone"), "{printed}");
}

async fn a_tool_that_panics_is_answered(runner: Runner) {
    check_panic(runner, "panics", "the tool panics").await;
}

async fn a_panic_in_a_stream_is_answered(runner: Runner) {
    check_panic(runner, "panics_streaming", "the tool panics in the stream").await;
}

async fn a_panic_over_arguments_is_answered(runner: Runner) {
    check_panic(runner, "panics_reading", "the tool panics at its arguments").await;
}

async fn check_panic(runner: Runner, tool: &str, cause: &str) {
    let Some(mut process) = Process::start(runner, guests::ANSWERS, &[]).await else { return };
    process.call(1, "holds", json!({"ms": 60_000})).await;
    process.call(7, tool, json!({"text": "x"})).await;
    let answer = process.answer().await;
    assert_eq!((&answer["id"], answer["error"]["code"].as_i64()), (&json!(7), Some(-32603)));
    process.hear_the_end().await;
    let (status, printed) = process.ended().await;
    assert!(status.code().is_some_and(|code| code != 0), "{status}: {printed}");
    assert!(printed.contains(cause), "{printed}");
    if runner == Runner::Midge {
        let last = printed.lines().last().unwrap_or_default();
        assert!(last.starts_with("midge: the server failed"), "{printed}");
    }
}

async fn what_is_finished_is_answered_before_a_panic(runner: Runner) {
    let Some(mut process) = Process::start(runner, guests::ANSWERS, &[]).await else { return };
    let calls = [(1, "sized"), (2, "sized"), (3, "panics")];
    let calls = calls.map(|(id, tool)| line(id, tool, json!({"bytes": 200_000})));
    process.send(calls.concat().as_bytes()).await;
    for id in 1..3 {
        let answer = process.hear().await;
        assert_eq!((&answer["id"], text(&answer).len()), (&json!(id), 200_000));
    }
    let answer = process.hear().await;
    assert_eq!((&answer["id"], answer["error"]["code"].as_i64()), (&json!(3), Some(-32603)));
    process.hear_the_end().await;
    assert!(!process.ended().await.0.success());
}

async fn many_requests_at_once_are_all_answered(runner: Runner) {
    let Some(mut process) = Process::start(runner, guests::HELLO, &[]).await else { return };
    let calls: String = (0..5000).map(|id| line(id, "greet", json!({"name": "Ada"}))).collect();
    process.send_beside(calls.into_bytes());
    for id in 0..5000 {
        let answer = process.hear().await;
        assert_eq!((&answer["id"], text(&answer)), (&json!(id), "Hello, Ada!"));
    }
    process.hear_the_end().await;
    process.ended_well().await;
}

/// The line of a modern call.
fn line(id: u32, tool: &str, arguments: Value) -> String {
    format!("{}\n", modern_call(id, tool, arguments))
}

/// Under other hosts it goes to the client.
#[tokio::test]
async fn what_a_tool_prints_does_not_go_to_the_client() {
    let mut process = Process::start(Runner::Midge, guests::ANSWERS, &[]).await.unwrap();
    let forged = r#"{"jsonrpc":"2.0","id":9,"result":{}}"#;
    for id in 0..3 {
        process.call(id, "prints", json!({"text": forged, "out": true})).await;
        let answer = process.hear().await;
        assert_eq!((&answer["id"], text(&answer)), (&json!(id), "printed"));
    }
    process.close_input();
    process.hear_the_end().await;
    let printed = process.ended_well().await;
    let complaints = complaints(&printed);
    assert_eq!(complaints.len(), 1, "{printed}");
    assert_eq!(complaints[0]["level"], "WARN", "{printed}");
    assert!(complaints[0].to_string().contains("prints to standard output"), "{printed}");
    assert_eq!(printed.matches(r#"\"id\":9"#).count(), 3, "{printed}");
}

async fn large_answers_are_whole(runner: Runner) {
    let Some(mut process) = Process::start(runner, guests::ANSWERS, &[]).await else { return };
    for id in 0..4 {
        process.call(id, "sized", json!({"bytes": 700_000 + id})).await;
    }
    for _ in 0..4 {
        let answer = process.hear().await;
        let extra = answer["id"].as_u64().unwrap();
        assert_eq!(text(&answer).len() as u64, 700_000 + extra);
    }
    process.close_input();
    process.hear_the_end().await;
    process.ended_well().await;
}
