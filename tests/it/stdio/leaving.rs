//! Clients that go away. However they do it, it is an ordinary end: nothing traps, one line says
//! so, the exit code is 0.

use std::time::{Duration, Instant};

use midge_tests::guests;
use serde_json::json;

use super::process::{Process, Runner, complaints};

/// How quickly a server must be gone after its client, on a machine that does other things, too.
const AT_ONCE: Duration = Duration::from_secs(3);

/// Checks that the log knows of one client that has left, and of nothing else.
fn check_log(runner: Runner, printed: &str) {
    assert_eq!(printed.matches("client-gone").count(), 1, "{printed}");
    // What the system calls a broken pipe is the cause, not a complaint.
    let words = printed.to_lowercase().replace("(os error 32)", "");
    for word in ["panic", "trap", "error", "backtrace"] {
        assert!(!words.contains(word), "{printed}");
    }
    if runner == Runner::Midge {
        let complaints = complaints(printed);
        assert_eq!(complaints.len(), 1, "{printed}");
        assert_eq!(complaints[0]["level"], "WARN", "{printed}");
    }
}

async fn start(runner: Runner, arguments: &[&str]) -> Option<Process> {
    Process::start(runner, guests::ANSWERS, arguments).await
}

/// Closes the output in the middle of an answer.
async fn in_an_answer(runner: Runner) {
    let Some(mut process) = start(runner, &[]).await else { return };
    process.call(1, "holds", json!({"ms": 60_000})).await;
    process.call(2, "sized", json!({"bytes": 3_000_000})).await;
    process.hear_part(1000).await;
    process.close_output();
    let printed = process.ended_well().await;
    assert!(printed.contains("guard dropped"), "{printed}");
    check_log(runner, &printed.replace("guard dropped", ""));
}

#[tokio::test]
async fn midge_in_an_answer() {
    in_an_answer(Runner::Midge).await;
}

#[tokio::test]
async fn wasmtime_in_an_answer() {
    in_an_answer(Runner::Wasmtime).await;
}

/// Closes the output between two messages of a handler.
async fn between_notifications(runner: Runner) {
    let Some(mut process) = start(runner, &[]).await else { return };
    process.call(1, "progress", json!({"steps": 100_000, "ms": 2})).await;
    process.hear().await;
    process.close_output();
    check_log(runner, &process.ended_well().await);
}

#[tokio::test]
async fn midge_between_notifications() {
    between_notifications(Runner::Midge).await;
}

#[tokio::test]
async fn wasmtime_between_notifications() {
    between_notifications(Runner::Wasmtime).await;
}

/// Closes the input in the middle of a line.
async fn in_a_request(runner: Runner) {
    let Some(mut process) = start(runner, &[]).await else { return };
    process.call(1, "holds", json!({"ms": 60_000})).await;
    process.call(2, "sized", json!({"bytes": 1})).await;
    process.hear().await;
    process.send(br#"{"jsonrpc":"2.0","id":3,"method":"tools/"#).await;
    process.close_input();
    process.hear_the_end().await;
    let printed = process.ended_well().await;
    assert!(printed.contains("guard dropped"), "{printed}");
    check_log(runner, &printed);
}

#[tokio::test]
async fn midge_in_a_request() {
    in_a_request(Runner::Midge).await;
}

#[tokio::test]
async fn wasmtime_in_a_request() {
    in_a_request(Runner::Wasmtime).await;
}

/// Closes both at once, as the system does for a client that is killed.
#[tokio::test]
async fn a_client_that_is_killed_takes_its_server_along() {
    let mut process = start(Runner::Midge, &[]).await.unwrap();
    process.call(1, "holds", json!({"ms": 60_000})).await;
    process.call(2, "sized", json!({"bytes": 1})).await;
    process.hear().await;
    let killed = Instant::now();
    process.close_input();
    process.close_output();
    let printed = process.ended_well().await;
    assert!(killed.elapsed() < AT_ONCE, "{:?}: {printed}", killed.elapsed());
    assert!(printed.contains("guard dropped"), "its destructors run: {printed}");
    check_log(Runner::Midge, &printed);
}

/// Under wasmtime nobody tells the component that the output is closed, until it writes.
#[tokio::test]
async fn a_client_that_is_killed_takes_wasmtime_along() {
    let Some(mut process) = start(Runner::Wasmtime, &[]).await else { return };
    process.call(1, "holds", json!({"ms": 60_000})).await;
    process.call(2, "sized", json!({"bytes": 1})).await;
    process.hear().await;
    process.close_input();
    process.close_output();
    let printed = process.ended_well().await;
    assert!(printed.contains("guard dropped"), "{printed}");
}

/// A tool that never gives way cannot be told anything; the host cuts it.
#[tokio::test]
async fn a_busy_tool_does_not_outlive_its_client() {
    let mut process = start(Runner::Midge, &["--abort-grace", "100ms"]).await.unwrap();
    process.call(1, "spins", json!({})).await;
    process.until_printed("spinning").await;
    process.close_input();
    process.close_output();
    let printed = process.ended_well().await;
    assert_eq!(complaints(&printed).len(), 1, "{printed}");
    assert!(printed.contains("client-gone"), "{printed}");
}

/// Nor one whose client has closed its input and waits.
#[tokio::test]
async fn a_busy_tool_does_not_outlive_the_drain() {
    let limits = ["--drain", "200ms", "--abort-grace", "100ms"];
    let mut process = start(Runner::Midge, &limits).await.unwrap();
    process.call(1, "spins", json!({})).await;
    process.until_printed("spinning").await;
    process.close_input();
    // It is not read while the tool spins, so it is told to end.
    process.signal("TERM");
    process.hear_the_end().await;
    let printed = process.ended_well().await;
    assert!(printed.contains("timed-out"), "{printed}");
}

#[tokio::test]
async fn a_client_that_takes_nothing_does_not_keep_it() {
    let limits = ["--drain", "200ms", "--abort-grace", "100ms"];
    let mut process = start(Runner::Midge, &limits).await.unwrap();
    process.call(1, "sized", json!({"bytes": 3_000_000})).await;
    process.hear_part(10).await;
    process.close_input();
    process.ended_well().await;
}

#[tokio::test]
async fn a_signal_finishes_and_a_second_one_ends() {
    let mut process = start(Runner::Midge, &[]).await.unwrap();
    process.call(1, "sleeps", json!({"ms": 400})).await;
    process.call(2, "sized", json!({"bytes": 1})).await;
    assert_eq!(process.hear().await["id"], 2);
    process.signal("TERM");
    assert_eq!(process.hear().await["id"], 1, "what is at work is finished");
    process.hear_the_end().await;
    assert!(complaints(&process.ended_well().await).is_empty());

    let mut process = start(Runner::Midge, &[]).await.unwrap();
    process.call(1, "holds", json!({"ms": 60_000})).await;
    process.call(2, "sized", json!({"bytes": 1})).await;
    process.hear().await;
    process.signal("INT");
    process.until_printed("once more to end at once").await;
    let told = Instant::now();
    process.signal("INT");
    process.hear_the_end().await;
    process.ended_well().await;
    assert!(told.elapsed() < AT_ONCE);
}
