//! Components of WASI 0.3 on standard streams: their `run` is that of 0.2, and so is what their
//! tools wait for there.

use midge_tests::guests::p3 as guests;
use serde_json::json;

use super::process::{Process, Runner};
use crate::upstream::Upstream;

#[tokio::test]
async fn tools_wait_and_call_under_midge() {
    tools_wait_and_call(Runner::Midge).await;
}

#[tokio::test]
async fn tools_wait_and_call_under_wasmtime() {
    tools_wait_and_call(Runner::Wasmtime).await;
}

async fn tools_wait_and_call(runner: Runner) {
    let upstream = Upstream::start().await;
    upstream.set("thing", "quite new");
    let addr = upstream.addr().to_string();
    let arguments: &[&str] = match runner {
        Runner::Midge => &["--allow-outbound", &addr],
        Runner::Wasmtime => &[],
    };
    let Some(mut process) = Process::start(runner, guests::DEMO, arguments).await else { return };
    process.call(1, "countdown", json!({"seconds": 1})).await;
    let answer = process.answer().await;
    assert_eq!(answer["id"], 1);
    assert!(answer["result"]["content"].is_array(), "{answer}");
    // Now and then an answer was given up for a "connection reset".
    for id in 2..52 {
        process.call(id, "fetch", json!({"url": format!("http://{addr}/thing")})).await;
        let answer = process.answer().await;
        assert_eq!(answer["id"], id);
        assert!(answer.to_string().contains("quite new"), "{answer}");
    }
    process.close_input();
    process.hear_the_end().await;
    process.ended_well().await;
}
