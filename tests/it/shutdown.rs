//! The end of a server: what is at work may end, and nothing new begins.

use std::time::Duration;

use midge_host::Config;
use midge_tests::{Message, Serving, config, guests, soon};
use serde_json::json;
use tokio::net::TcpStream;
use tracing::Level;

fn progress() -> Message {
    Message::call("progress", json!({"steps": 4, "ms": 100})).with_progress()
}

#[tokio::test]
async fn what_is_at_work_is_drained() {
    let serving = Serving::of(guests::ANSWERS).await;
    let mut idle = serving.wire().await;
    idle.post(&Message::call("sleeps", json!({"ms": 0}))).await;
    assert_eq!(idle.answer().await.status, 200, "a connection that is now idle");
    let mut wire = serving.wire().await;
    wire.post(&progress()).await;
    wire.until("\"step 1\"").await;
    serving.handle().shutdown();
    assert_eq!(idle.rest().await, b"", "the idle connection is closed");
    assert_eq!(serving.gauges().instances, 1, "the exchange at work goes on");
    let refused = async {
        while TcpStream::connect(serving.addr()).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    soon("nobody listens any more", refused).await;
    let rest = String::from_utf8(wire.rest().await).expect("text");
    assert!(rest.contains("4 steps") && rest.ends_with("0\r\n\r\n"), "to its end: {rest}");
    drop((idle, wire));
    serving.exchanges(2).await;
    serving.assert_noise(0, 0);
}

#[tokio::test]
async fn what_takes_too_long_is_cut() {
    let config = Config { drain: Duration::from_millis(300), ..config() };
    let serving = Serving::with(config, guests::ANSWERS).await;
    let mut wire = serving.wire().await;
    wire.post(&Message::call("holds_streaming", json!({"ms": 60_000}))).await;
    wire.until("keep-alive").await;
    serving.handle().shutdown();
    let rest = wire.rest().await;
    assert!(!rest.ends_with(b"0\r\n\r\n"), "the client can tell that this is not all");
    let line = serving.exchange().await;
    assert_eq!((line.level, &line["outcome"]), (Level::WARN, "timed-out"), "{line:?}");
    assert!(line["cause"].contains("shutdown"), "and why: {line:?}");
}
