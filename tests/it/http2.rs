//! The same over HTTP/2 without TLS, where a client leaves one exchange and keeps the others.

use std::time::{Duration, Instant};

use http_body_util::BodyExt;
use midge_tests::{Answer, Http2, Message, Serving, soon};
use serde_json::json;
use tracing::Level;

use super::guests;

/// How quickly a guest must be gone after its client, on a machine that does other things, too.
const AT_ONCE: Duration = Duration::from_millis(500);

fn sleeps(ms: u64) -> Message {
    Message::call("sleeps", json!({"ms": ms}))
}

/// Checks that the only other exchange was left by its client, and that the connection is good.
async fn assert_gone(serving: &Serving, client: Http2) {
    serving.log().until("a line", |lines| lines.iter().any(|line| line.is_exchange())).await;
    let answer = Answer::read(client.send(&sleeps(0)).await).await;
    assert_eq!(answer.result_text(), "slept 0 ms", "the next exchange on the connection");
    drop(client);
    let lines = serving.exchanges(2).await;
    assert_eq!((lines[0].level, &lines[0]["outcome"]), (Level::WARN, "client-gone"), "{lines:?}");
    assert_eq!(&lines[1]["outcome"], "ok", "{lines:?}");
    serving.assert_noise(0, 1);
}

#[tokio::test]
async fn exchanges_share_a_connection() {
    let serving = Serving::of(guests::ANSWERS).await;
    let client = Http2::connect(serving.addr()).await;
    let call = async |message: Message| Answer::read(client.send(&message).await).await;
    let start = Instant::now();
    let sized = |bytes: usize| Message::call("sized", json!({"bytes": bytes}));
    let (slow, large, panics, refused) = tokio::join!(
        call(sleeps(600)),
        call(sized(5_000_000)),
        call(Message::call("panics", json!({}))),
        call(sleeps(0).path("/other")),
    );
    assert!(start.elapsed() >= Duration::from_millis(600), "the slow one took its time");
    assert_eq!(slow.result_text(), "slept 600 ms", "slow");
    assert_eq!(large.result_text().len(), 5_000_000, "large");
    assert_eq!((panics.status.as_u16(), panics.code()), (500, Some(-32603)), "failed");
    assert_eq!(refused.status, 404, "refused");
    assert_eq!(serving.gauges().sockets, 1, "all on one connection");
    drop(client);
    serving.exchanges(4).await;
    serving.assert_noise(1, 0);
}

#[tokio::test]
async fn a_reset_in_the_body() {
    let serving = Serving::of(guests::ANSWERS).await;
    let client = Http2::connect(serving.addr()).await;
    let message = sleeps(0);
    let (body, response) = client.begin(&message, &message.body[..45]);
    let response = tokio::spawn(response);
    serving.until_gauges("it has begun", |gauges| gauges.receiving == 1).await;
    body.abort(std::io::Error::other("the client has left"));
    response.abort();
    assert_gone(&serving, client).await;
}

#[tokio::test]
async fn a_reset_before_the_head() {
    for tool in ["sleeps", "spins"] {
        let serving = Serving::of(guests::ANSWERS).await;
        let client = Http2::connect(serving.addr()).await;
        let message = Message::call(tool, json!({"ms": 60_000})).accept("application/json");
        let sender = client.clone();
        let call = tokio::spawn(async move { sender.send(&message).await });
        serving.until_gauges(tool, |gauges| gauges.instances == 1).await;
        let left = Instant::now();
        call.abort();
        serving.until_gauges(tool, |gauges| gauges.instances == 0).await;
        assert!(left.elapsed() < AT_ONCE, "{tool}: after {:?}", left.elapsed());
        assert_gone(&serving, client).await;
    }
}

#[tokio::test]
async fn a_reset_in_the_stream() {
    let serving = Serving::of(guests::ANSWERS).await;
    let client = Http2::connect(serving.addr()).await;
    let message = Message::call("holds_streaming", json!({"ms": 60_000}));
    let mut response = client.send(&message).await;
    let event = soon("an event", response.body_mut().frame()).await;
    assert!(event.is_some_and(|event| event.is_ok()), "the stream is on");
    drop(response);
    assert_gone(&serving, client).await;
    assert_eq!(serving.log().output(), ["guard dropped"], "the handler is dropped");
}
