//! A client that goes away is an ordinary outcome.

use std::time::{Duration, Instant};

use midge_host::Config;
use midge_tests::{LEAVINGS, Line, Message, Serving, config, join, soon};
use serde_json::{Value, json};
use tokio::{io::AsyncReadExt, net::TcpListener};
use tracing::Level;

use super::guests;

/// How quickly a guest must be gone after its client, on a machine that does other things, too.
const AT_ONCE: Duration = Duration::from_millis(500);

fn call(tool: &str, arguments: Value) -> Message {
    Message::call(tool, arguments)
}

/// Checks the lines: `good` exchanges went well, and then one client left. Nobody else complains.
async fn assert_gone(serving: &Serving, good: usize) -> Line {
    let mut lines = serving.exchanges(good + 1).await;
    let gone = lines.pop().expect("there is a last line");
    assert_eq!((gone.level, &gone["outcome"]), (Level::WARN, "client-gone"), "{gone:?}");
    assert!(!gone["cause"].contains('\n'), "the cause is one line: {gone:?}");
    for line in lines {
        assert_eq!(&line["outcome"], "ok", "{line:?}");
    }
    serving.assert_noise(0, 1);
    gone
}

/// The case that this project was begun for: python-sdk issue 2064.
#[tokio::test]
async fn issue_2064_a_truncated_call_is_not_an_error() {
    let serving = Serving::of(guests::DEMO).await;
    let answer = serving.send(&Message::initialize()).await;
    assert_eq!(answer.json()["result"]["protocolVersion"], "2025-11-25", "the handshake");
    let answer = serving.send(&Message::notification("notifications/initialized")).await;
    assert_eq!((answer.status.as_u16(), answer.text()), (202, ""), "its end");

    let greet = Message::legacy_call("greet", json!({"name": "you"}));
    let mut wire = serving.wire().await;
    wire.send(greet.head("content-length: 10000\r\n")).await;
    wire.send(&greet.body[..45]).await;
    drop(wire);
    assert_gone(&serving, 2).await;

    let answer = serving.send(&greet).await;
    assert_eq!(answer.result_text(), "Hello, you!", "the next call is right");
    let last = serving.exchanges(4).await.pop().expect("there is a last line");
    assert_eq!(&last["outcome"], "ok", "and its line, too");
    serving.assert_noise(0, 1);
}

#[tokio::test]
async fn a_body_may_end_anywhere() {
    let body = call("greet", json!({"name": "you"}));
    let chunked = body.head("transfer-encoding: chunked\r\n");
    let whole = body.head("content-length: 1000\r\n");
    let text = String::from_utf8(body.body.clone()).expect("text");
    let chunk = format!("{:x}\r\n{text}\r\n", text.len());
    let cases = [
        ("after the head", whole.clone()),
        ("in the body", format!("{whole}{text}")),
        ("before a chunk", chunked.clone()),
        ("in a chunk's header", format!("{chunked}{}", &chunk[..1])),
        ("in a chunk", format!("{chunked}{}", &chunk[..chunk.len() / 2])),
        ("before the last chunk", format!("{chunked}{chunk}")),
        ("in the last chunk", format!("{chunked}{chunk}0\r\n")),
    ];
    for (place, bytes) in cases {
        for (how, leave) in LEAVINGS {
            let serving = Serving::of(guests::HELLO).await;
            let mut wire = serving.wire().await;
            wire.send(&bytes).await;
            serving.until_gauges(place, |gauges| gauges.receiving == 1).await;
            leave(wire);
            let line = assert_gone(&serving, 0).await;
            assert_ne!(line.get("outcome"), Some("ok"), "{place}, {how}");
            serving.assert_serves(&body).await;
        }
    }
}

#[tokio::test]
async fn a_head_that_is_cut_is_no_exchange() {
    let serving = Serving::of(guests::HELLO).await;
    for (_, leave) in LEAVINGS {
        for bytes in ["", "POST", "POST /mcp HTTP/1.1\r\nhost: localhost\r\ncontent-le"] {
            let mut wire = serving.wire().await;
            wire.send(bytes).await;
            leave(wire);
        }
    }
    serving.assert_serves(&call("greet", json!({"name": "you"}))).await;
    serving.exchanges(1).await;
    serving.assert_noise(0, 0);
}

#[tokio::test]
async fn a_client_that_only_stops_sending_is_told() {
    let serving = Serving::of(guests::HELLO).await;
    let greet = call("greet", json!({"name": "you"}));
    let mut wire = serving.wire().await;
    wire.send(greet.head("content-length: 1000\r\n")).await;
    wire.send(&greet.body).await;
    wire.half_close().await;
    let answer = wire.answer().await;
    assert_eq!(answer.status, 400, "{}", answer.text());
    assert!(answer.code().is_some(), "with a JSON-RPC error");
    assert_eq!(wire.rest().await, b"", "and the end");
    assert_gone(&serving, 0).await;
}

#[tokio::test]
async fn before_the_head_the_guest_is_dropped() {
    for (tool, arguments) in [("holds", json!({"ms": 60_000})), ("spins", json!({}))] {
        for (how, leave) in LEAVINGS {
            let serving = Serving::of(guests::ANSWERS).await;
            let mut wire = serving.wire().await;
            wire.post(&call(tool, arguments.clone()).accept("application/json")).await;
            serving.until_gauges(tool, |gauges| gauges.instances == 1).await;
            tokio::time::sleep(Duration::from_millis(50)).await;
            let left = Instant::now();
            leave(wire);
            serving.until_gauges(how, |gauges| gauges.instances == 0).await;
            assert!(left.elapsed() < AT_ONCE, "{tool}, {how}: after {:?}", left.elapsed());
            assert_gone(&serving, 0).await;
            serving.assert_serves(&call("sleeps", json!({"ms": 0}))).await;
        }
    }
}

#[tokio::test]
async fn busy_guests_are_all_dropped_where_they_outnumber_the_threads() {
    let serving = Serving::of(guests::ANSWERS).await;
    let mut wires = Vec::new();
    for _ in 0..5 {
        let mut wire = serving.wire().await;
        wire.post(&call("spins", json!({})).accept("application/json")).await;
        wires.push(wire);
    }
    serving.until_gauges("all", |gauges| gauges.instances == 5).await;
    let left = Instant::now();
    drop(wires);
    serving.until_gauges("none", |gauges| gauges.instances == 0).await;
    assert!(left.elapsed() < AT_ONCE, "after {:?}", left.elapsed());
    for line in serving.exchanges(5).await {
        assert_eq!((line.level, &line["outcome"]), (Level::WARN, "client-gone"), "{line:?}");
    }
    serving.assert_noise(0, 5);
}

#[tokio::test]
async fn in_the_stream_the_handler_is_dropped_too() {
    for (how, leave) in LEAVINGS {
        let serving = Serving::of(guests::ANSWERS).await;
        let mut wire = serving.wire().await;
        wire.post(&call("holds_streaming", json!({"ms": 60_000}))).await;
        wire.until("keep-alive").await;
        leave(wire);
        let line = assert_gone(&serving, 0).await;
        assert_eq!(line.get("name"), Some("holds_streaming"), "{how}: {line:?}");
        assert_eq!(serving.log().output(), ["guard dropped"], "{how}: its destructors ran");
        serving.assert_serves(&call("sleeps", json!({"ms": 0}))).await;
    }
}

#[tokio::test]
async fn after_some_events_the_rest_is_not_made() {
    for (how, leave) in LEAVINGS {
        let serving = Serving::of(guests::ANSWERS).await;
        let mut wire = serving.wire().await;
        let steps = json!({"steps": 1_000_000, "ms": 5});
        wire.post(&call("progress", steps).with_progress()).await;
        wire.until("\"message\":\"step 5\"").await;
        let left = Instant::now();
        leave(wire);
        assert_gone(&serving, 0).await;
        assert!(left.elapsed() < 2 * AT_ONCE, "{how}: after {:?}", left.elapsed());
    }
}

#[tokio::test]
async fn in_a_large_answer_the_rest_is_not_written() {
    for (how, leave) in LEAVINGS {
        for accept in ["application/json", "text/event-stream"] {
            let serving = Serving::of(guests::ANSWERS).await;
            let mut wire = serving.wire().await;
            wire.post(&call("sized", json!({"bytes": 9_000_000})).accept(accept)).await;
            wire.until("0000100 ").await;
            leave(wire);
            let line = assert_gone(&serving, 0).await;
            let bytes: u64 = line["bytes"].parse().expect("a number");
            assert!(bytes < 9_000_000, "{how}, {accept}: {bytes} bytes were taken");
        }
    }
}

#[tokio::test]
async fn an_outbound_call_is_closed_too() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
    let url = format!("http://{}/", listener.local_addr().expect("it has an address"));
    let allow_outbound = vec!["127.0.0.1".parse().expect("a rule")];
    for (how, leave) in LEAVINGS {
        let config = Config { allow_outbound: allow_outbound.clone(), ..config() };
        let serving = Serving::with(config, guests::ANSWERS).await;
        let mut wire = serving.wire().await;
        wire.post(&call("outbound", json!({"url": url})).accept("application/json")).await;
        let (mut upstream, _) = soon("the call", listener.accept()).await.expect("it comes");
        let mut request = vec![0; 4096];
        let read = soon("the request", upstream.read(&mut request)).await.expect("it comes");
        assert!(read > 0, "{how}: the call is at work");
        let left = Instant::now();
        leave(wire);
        while soon("the end", upstream.read(&mut request)).await.is_ok_and(|read| read > 0) {}
        assert!(left.elapsed() < AT_ONCE, "{how}: after {:?}", left.elapsed());
        assert_gone(&serving, 0).await;
    }
}

#[tokio::test]
async fn a_tool_that_must_not_be_cut_is_not() {
    for (how, leave) in LEAVINGS {
        let serving = Serving::of(guests::ANSWERS).await;
        let mut wire = serving.wire().await;
        wire.post(&call("completes", json!({"ms": 1500}))).await;
        wire.until("keep-alive").await;
        leave(wire);
        assert_gone(&serving, 0).await;
        let output = serving.log().output();
        assert_eq!(output, ["completed, cancelled: true", "guard dropped"], "{how}");
    }
}

#[tokio::test]
async fn deferred_work_runs_for_a_client_that_has_gone() {
    let serving = Serving::of(guests::ANSWERS).await;
    let mut wire = serving.wire().await;
    wire.post(&call("defers_and_holds", json!({"ms": 100}))).await;
    wire.until("keep-alive").await;
    drop(wire);
    assert_gone(&serving, 0).await;
    assert_eq!(serving.log().output(), ["guard dropped", "deferred work done"], "in this order");
}

#[tokio::test]
async fn a_good_connection_may_end_badly() {
    let serving = Serving::of(guests::ANSWERS).await;
    let good = call("sleeps", json!({"ms": 0}));
    let mut wire = serving.wire().await;
    wire.post(&good).await;
    assert_eq!(wire.answer().await.status, 200, "a good exchange");
    wire.send(good.head("content-length: 10000\r\n")).await;
    serving.until_gauges("the second", |gauges| gauges.receiving == 1).await;
    drop(wire);
    assert_gone(&serving, 1).await;
}

#[tokio::test]
async fn pipelined_requests_end_with_their_client() {
    let serving = Serving::of(guests::ANSWERS).await;
    let holds = call("holds", json!({"ms": 60_000})).accept("application/json").bytes();
    let mut wire = serving.wire().await;
    wire.send([holds.clone(), holds].concat()).await;
    serving.until_gauges("the first", |gauges| gauges.instances == 1).await;
    let left = Instant::now();
    wire.reset();
    assert_gone(&serving, 0).await;
    assert!(left.elapsed() < 2 * AT_ONCE, "after {:?}", left.elapsed());
}

#[tokio::test]
async fn a_client_that_is_done_may_leave() {
    let serving = Serving::of(guests::ANSWERS).await;
    for (_, leave) in LEAVINGS {
        let mut wire = serving.wire().await;
        wire.post(&call("sized", json!({"bytes": 300_000}))).await;
        assert!(wire.answer().await.complete, "it has all of its answer");
        leave(wire);
    }
    serving.exchanges(2).await;
    serving.assert_noise(0, 0);
}

#[tokio::test]
async fn hundreds_of_aborts_leave_the_good_ones_alone() {
    let config = Config { max_exchanges: 256, ..config() };
    let serving = std::sync::Arc::new(Serving::with(config, guests::ANSWERS).await);
    let client = |n: usize| {
        let serving = serving.clone();
        tokio::spawn(async move {
            let message = call("progress", json!({"steps": 4, "ms": 10})).with_progress();
            let mut wire = serving.wire().await;
            match n % 4 {
                0 => {
                    wire.post(&message).await;
                    return assert_eq!(wire.answer().await.result_text(), "4 steps", "{n}");
                }
                1 => wire.send(message.head("content-length: 10000\r\n")).await,
                2 => wire.post(&message).await,
                _ => {
                    wire.post(&message).await;
                    wire.until("\"progress\":1").await;
                }
            }
            LEAVINGS[n / 4 % 2].1(wire);
        })
    };
    let clients: Vec<_> = (0..200).map(client).collect();
    for client in clients {
        join("a client", client).await;
    }
    serving.until_idle().await;
    let lines = serving.log().exchanges();
    let ok = lines.iter().filter(|line| &line["outcome"] == "ok").count();
    assert!(ok >= 50, "all good exchanges are ok, not {ok}");
    serving.assert_noise(0, lines.len() - ok);
}
