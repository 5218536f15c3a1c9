//! What a component is granted and denied as a process.

use midge_tests::guests;
use serde_json::json;

use super::process::{Process, Runner, complaints};

#[tokio::test]
async fn memory_is_limited() {
    let mut process =
        Process::start(Runner::Midge, guests::ANSWERS, &["--memory", "32MiB"]).await.unwrap();
    process.call(1, "sized", json!({"bytes": 100_000_000})).await;
    process.hear_the_end().await;
    let (status, printed) = process.ended().await;
    assert_eq!(status.code(), Some(1), "{printed}");
    assert!(printed.contains("ran out of memory"), "{printed}");
}

#[tokio::test]
async fn no_server_may_be_called_that_was_not_named() {
    let mut process = Process::start(Runner::Midge, guests::ANSWERS, &[]).await.unwrap();
    process.call(1, "outbound", json!({"url": "http://127.0.0.1:9/"})).await;
    let answer = process.answer().await;
    assert_eq!(answer["result"]["isError"], true, "{answer}");
    assert!(answer.to_string().contains("does not allow to call"), "{answer}");
    process.close_input();
    assert!(complaints(&process.ended_well().await).is_empty());
}

#[tokio::test]
async fn what_is_sealed_opens_as_long_as_the_connection_lives() {
    let mut process = Process::start(Runner::Midge, guests::CART, &[]).await.unwrap();
    process.call(1, "add", json!({"name": "tea"})).await;
    let answer = process.answer().await;
    let cart = answer["result"]["structuredContent"]["cart"].clone();
    assert!(cart.is_string(), "{answer}");
    process.call(2, "add", json!({"name": "cake", "cart": cart})).await;
    let answer = process.answer().await;
    assert!(answer["result"]["isError"].as_bool() != Some(true), "{answer}");
    process.close_input();
    assert!(complaints(&process.ended_well().await).is_empty());
}

#[tokio::test]
async fn a_component_that_is_no_command_is_refused() {
    for (guest, reason) in [
        (guests::ANSWERS_NOTHING, "does not run as a command"),
        ("/nowhere/x.wasm", "cannot read /nowhere/x.wasm"),
    ] {
        let mut process = Process::start(Runner::Midge, guest, &[]).await.unwrap();
        process.hear_the_end().await;
        let (status, printed) = process.ended().await;
        assert_eq!(status.code(), Some(1), "{printed}");
        assert!(printed.starts_with("midge: ") && printed.contains(reason), "{printed}");
        assert_eq!(printed.lines().count(), 1, "{printed}");
    }
}
