//! The limits of the host, one after the other.

use std::time::{Duration, Instant};

use midge_host::Config;
use midge_tests::{Http2, Message, Serving, config, guests, join};
use serde_json::{Value, json};
use tracing::Level;

fn greet() -> Message {
    Message::call("greet", json!({"name": "you"}))
}

fn sleeps(ms: u64) -> Message {
    Message::call("sleeps", json!({"ms": ms}))
}

#[tokio::test]
async fn an_announced_body_over_the_limit_is_not_read() {
    let serving = Serving::of(guests::HELLO).await;
    for length in ["4194305", "100000000"] {
        let mut wire = serving.wire().await;
        let greet = greet().header("expect", "100-continue");
        wire.send(greet.head(&format!("content-length: {length}\r\n"))).await;
        let answer = wire.answer().await;
        assert_eq!(answer.status, 413, "{length} bytes: {}", answer.text());
        assert!(answer.code().is_some(), "with a JSON-RPC error");
    }
    for line in serving.exchanges(2).await {
        assert_eq!(&line["outcome"], "rejected", "{line:?}");
    }
    serving.assert_noise(0, 0);
    serving.assert_serves(&greet()).await;
}

#[tokio::test]
async fn who_sends_too_much_without_asking_still_gets_the_answer() {
    let serving = Serving::of(guests::HELLO).await;
    for bytes in [(4 << 20) + 1, 8 << 20] {
        for _ in 0..5 {
            let mut wire = serving.wire().await;
            let large = Message { body: vec![b' '; bytes], ..greet() };
            wire.post(&large).await;
            assert_eq!(wire.answer().await.status, 413, "{bytes} bytes");
            // Other clients give up when they cannot write: they must be let.
            assert_eq!(serving.send(&large).await.status, 413, "{bytes} bytes");
        }
    }
    serving.exchanges(20).await;
    serving.assert_noise(0, 0);
}

#[tokio::test]
async fn a_client_that_asks_first_may_send() {
    let serving = Serving::of(guests::HELLO).await;
    let mut wire = serving.wire().await;
    let greet = greet().header("expect", "100-continue");
    wire.send(greet.head(&format!("content-length: {}\r\n", greet.body.len()))).await;
    assert!(wire.until("\r\n\r\n").await.starts_with("HTTP/1.1 100"), "it may");
    wire.send(&greet.body).await;
    assert_eq!(wire.answer().await.result_text(), "Hello, you!", "and is answered");
}

#[tokio::test]
async fn a_body_that_outgrows_the_limit_is_cut() {
    let serving = Serving::with(Config { max_body: 64 << 10, ..config() }, guests::HELLO).await;
    let mut wire = serving.wire().await;
    wire.send(greet().head("transfer-encoding: chunked\r\n")).await;
    let chunk = format!("1000\r\n{}\r\n", " ".repeat(4096));
    wire.send(chunk.repeat(64)).await;
    let answer = wire.answer().await;
    assert_eq!(answer.status, 413, "{}", answer.text());
    assert_eq!(answer.header("connection"), Some("close"), "the rest of the body is not wanted");
    assert_eq!(wire.rest().await, b"", "and nothing follows");
    drop(wire);
    assert_eq!(&serving.exchange().await["outcome"], "rejected", "no client-gone, no trap");
    serving.assert_noise(0, 0);
    serving.assert_serves(&greet()).await;
}

#[tokio::test]
async fn a_body_of_the_size_of_the_limit_is_read() {
    let serving = Serving::of(guests::HELLO).await;
    let padding = |size: usize| greet().edit(|body| body["padding"] = "x".repeat(size).into());
    let frame = padding(0).body.len();
    let answer = serving.send(&padding((4 << 20) - frame)).await;
    assert_eq!(answer.status, 200, "4 MiB: {}", answer.text());
    let answer = serving.send(&padding((4 << 20) - frame + 1)).await;
    assert_eq!(answer.status, 413, "4 MiB and a byte: {}", answer.text());
}

#[tokio::test]
async fn a_body_that_stalls_is_given_up() {
    let config = Config { body_timeout: Duration::from_millis(200), ..config() };
    let serving = Serving::with(config, guests::HELLO).await;
    let mut wire = serving.wire().await;
    wire.send(greet().head("content-length: 1000\r\n")).await;
    wire.send(r#"{"jsonrpc":"#).await;
    let answer = wire.answer().await;
    assert_eq!(answer.status, 408, "{}", answer.text());
    assert_eq!(answer.header("connection"), Some("close"), "no more of this body");
    drop(wire);
    assert_eq!(&serving.exchange().await["outcome"], "rejected", "the line says so");
    serving.assert_noise(0, 0);
    serving.assert_serves(&greet()).await;
}

#[tokio::test]
async fn a_slow_body_is_read_as_long_as_it_comes() {
    let config = Config { body_timeout: Duration::from_millis(400), body_rate: 100, ..config() };
    let serving = Serving::with(config, guests::HELLO).await;
    let mut wire = serving.wire().await;
    let bytes = greet().bytes();
    let start = Instant::now();
    for piece in bytes.chunks(bytes.len() / 12) {
        wire.send(piece).await;
        tokio::time::sleep(Duration::from_millis(60)).await;
    }
    assert!(start.elapsed() > Duration::from_millis(600), "longer than one pause may be");
    assert_eq!(wire.answer().await.result_text(), "Hello, you!", "the answer");
}

#[tokio::test]
async fn a_head_that_is_too_large_is_refused() {
    let serving = Serving::with(Config { max_head: 8 << 10, ..config() }, guests::HELLO).await;
    let mut wire = serving.wire().await;
    wire.post(&greet().header("x-large", &"x".repeat(20_000))).await;
    assert_eq!(wire.answer().await.status, 431, "too large");
    let mut many = greet();
    for n in 0..150 {
        many = many.header(&format!("x-{n}"), "1");
    }
    let mut wire = serving.wire().await;
    wire.post(&many).await;
    assert_eq!(wire.answer().await.status, 431, "too many");
    drop(wire);
    serving.assert_noise(0, 0);
    serving.assert_serves(&greet()).await;
}

#[tokio::test]
async fn a_head_that_is_too_slow_is_cut() {
    let config = Config { head_timeout: Duration::from_millis(200), ..config() };
    let serving = Serving::with(config, guests::HELLO).await;
    for start in ["", "POST /mcp HTTP/1.1\r\nhost: local"] {
        let mut wire = serving.wire().await;
        wire.send(start).await;
        wire.rest().await;
    }
    serving.until_idle().await;
    assert_eq!(serving.log().exchanges().len(), 0, "no exchange has come of it");
    serving.assert_noise(0, 0);
    serving.assert_serves(&greet()).await;
}

#[tokio::test]
async fn an_idle_connection_is_closed() {
    let config = Config { keep_alive: Duration::from_millis(200), ..config() };
    let serving = Serving::with(config, guests::HELLO).await;
    let mut wire = serving.wire().await;
    wire.post(&greet()).await;
    assert_eq!(wire.answer().await.status, 200, "before the pause");
    let start = Instant::now();
    assert_eq!(wire.rest().await, b"", "closed without a word");
    assert!(start.elapsed() < Duration::from_secs(3), "after {:?}", start.elapsed());
    serving.until_idle().await;
    serving.assert_noise(0, 0);
}

#[tokio::test]
async fn one_exchange_too_many_is_told_to_come_back() {
    let serving = Serving::with(Config { max_exchanges: 1, ..config() }, guests::ANSWERS).await;
    let mut first = serving.wire().await;
    first.post(&sleeps(700)).await;
    serving.until_gauges("the first is at work", |gauges| gauges.instances == 1).await;
    let answer = serving.send(&sleeps(0)).await;
    assert_eq!(answer.status, 503, "{}", answer.text());
    assert_eq!(answer.header("retry-after"), Some("1"), "when to come back");
    assert_eq!(answer.code(), Some(-32603), "with a JSON-RPC error");
    assert_eq!(first.answer().await.result_text(), "slept 700 ms", "the first notices nothing");
    serving.until_gauges("the first is over", |gauges| gauges.instances == 0).await;
    serving.assert_serves(&sleeps(0)).await;
    drop(first);
    let outcomes: Vec<_> =
        serving.exchanges(3).await.iter().map(|line| line["outcome"].to_owned()).collect();
    assert_eq!(outcomes, ["overloaded", "ok", "ok"], "in the order of their ends");
    serving.assert_noise(0, 1);
}

#[tokio::test]
async fn one_connection_too_many_waits_for_an_exchange_to_end() {
    let serving = Serving::with(Config { max_connections: 1, ..config() }, guests::ANSWERS).await;
    let mut first = serving.wire().await;
    first.post(&sleeps(500)).await;
    serving.until_gauges("the first is at work", |gauges| gauges.instances == 1).await;
    let mut second = serving.wire().await;
    second.post(&sleeps(0)).await;
    assert_eq!(first.answer().await.result_text(), "slept 500 ms", "the first is not disturbed");
    assert_eq!(second.answer().await.status, 200, "until the first was idle");
    assert_eq!(first.rest().await, b"", "which was closed for it");
    drop(second);
    serving.exchanges(2).await;
    serving.assert_noise(0, 0);
}

#[tokio::test]
async fn the_longest_idle_connection_makes_room() {
    let serving = Serving::with(Config { max_connections: 2, ..config() }, guests::HELLO).await;
    let (mut first, mut second) = (serving.wire().await, serving.wire().await);
    for wire in [&mut first, &mut second] {
        wire.post(&greet()).await;
        assert_eq!(wire.answer().await.status, 200, "before there are too many");
    }
    let mut third = serving.wire().await;
    third.post(&greet()).await;
    assert_eq!(third.answer().await.status, 200, "at once");
    assert_eq!(first.rest().await, b"", "closed");
    second.post(&greet()).await;
    assert_eq!(second.answer().await.status, 200, "not disturbed");
    drop((first, second, third));
    serving.exchanges(4).await;
    serving.assert_noise(0, 0);
}

/// A head that only drips is an idle connection, too.
#[tokio::test]
async fn heads_that_drip_keep_nobody_out() {
    let serving = Serving::with(Config { max_connections: 3, ..config() }, guests::HELLO).await;
    let mut dripping = Vec::new();
    for _ in 0..3 {
        let mut wire = serving.wire().await;
        wire.send("POST /mcp HTTP/1.1\r\nhost: local").await;
        dripping.push(wire);
    }
    serving.until_gauges("all places are taken", |gauges| gauges.sockets == 3).await;
    assert_eq!(serving.send(&greet()).await.status, 200, "a good client");
}

/// So is a body, when there is no other.
#[tokio::test]
async fn bodies_that_drip_keep_nobody_out() {
    let serving = Serving::with(Config { max_connections: 3, ..config() }, guests::HELLO).await;
    let mut dripping = Vec::new();
    for _ in 0..3 {
        let mut wire = serving.wire().await;
        wire.send(greet().head("content-length: 1000\r\n")).await;
        dripping.push(wire);
    }
    serving.until_gauges("all places are taken", |gauges| gauges.receiving == 3).await;
    assert_eq!(serving.send(&greet()).await.status, 200, "a good client");
    drop(dripping);
    let lines = serving.exchanges(4).await;
    let overloaded = lines.iter().filter(|line| &line["outcome"] == "overloaded");
    assert_eq!(overloaded.count(), 1, "{lines:#?}");
}

#[tokio::test]
async fn one_http2_connection_has_a_quarter_of_the_exchanges() {
    let serving = Serving::with(Config { max_exchanges: 8, ..config() }, guests::ANSWERS).await;
    let client = Http2::connect(serving.addr()).await;
    assert_eq!(client.send(&sleeps(0)).await.status(), 200, "it knows the settings of the server");
    let calls: Vec<_> = (0..6)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.send(&sleeps(300)).await })
        })
        .collect();
    serving.until_gauges("two run", |gauges| gauges.permits == 2).await;
    assert_eq!(serving.send(&sleeps(0)).await.status, 200, "another client");
    for call in calls {
        assert_eq!(join("a call", call).await.status(), 200, "one after the other");
    }
}

#[tokio::test]
async fn the_memory_of_all_guests_is_bounded() {
    let (memory, memory_total) = (16 << 20, Some(16 << 20));
    let serving = Serving::with(Config { memory, memory_total, ..config() }, guests::ANSWERS).await;
    let sized = |bytes: usize| Message::call("sized", json!({"bytes": bytes}));
    let mut others = Vec::new();
    for _ in 0..10 {
        let mut wire = serving.wire().await;
        wire.post(&Message::call("holds", json!({"ms": 60_000})).accept("application/json")).await;
        others.push(wire);
    }
    serving.until_gauges("the others are at work", |gauges| gauges.instances == 10).await;
    let mut refused = None;
    for bytes in (1..48).map(|half| half << 19) {
        let answer = serving.send(&sized(bytes)).await;
        if answer.status != 200 {
            refused = Some(answer);
            break;
        }
    }
    let refused = refused.expect("it does not fit beside the others");
    assert_eq!((refused.status.as_u16(), refused.code()), (503, Some(-32603)), "the total");
    let line = serving.log().exchanges().pop().expect("there is a line");
    assert_eq!(&line["outcome"], "overloaded", "{line:?}");
    assert!(line["cause"].contains("memory_total"), "{line:?}");
    assert_eq!(serving.send(&sized(1000)).await.status, 200, "one that fits");
    drop(others);
}

#[tokio::test]
async fn cpu_time_is_bounded() {
    let config = Config { cpu_time: Duration::from_millis(200), ..config() };
    let serving = Serving::with(config, guests::ANSWERS).await;
    let answer = serving.send(&Message::call("spins", json!({})).accept("application/json")).await;
    assert_eq!(answer.status, 504, "{}", answer.text());
    let line = serving.exchange().await;
    assert_eq!((line.level, &line["outcome"]), (Level::WARN, "timed-out"), "{line:?}");
    assert!(line["cause"].contains("cpu_time"), "{line:?}");
    serving.assert_serves(&sleeps(300)).await;
}

#[tokio::test]
async fn memory_is_bounded_and_given_back() {
    let serving = Serving::with(Config { memory: 24 << 20, ..config() }, guests::ANSWERS).await;
    let sized = |bytes: usize| Message::call("sized", json!({"bytes": bytes}));
    for _ in 0..5 {
        let answer = serving.send(&sized(100 << 20)).await;
        assert!(answer.status.is_server_error(), "too much: {}", answer.status);
        assert_eq!(answer.code(), Some(-32603), "an internal error");
        assert_eq!(serving.send(&sized(1000)).await.result_text().len(), 1000, "enough");
    }
    for line in serving.exchanges(10).await.iter().step_by(2) {
        assert_eq!((line.level, &line["outcome"]), (Level::ERROR, "trapped"), "{line:?}");
        assert!(line["cause"].contains("memory"), "the line names it: {line:?}");
    }
    serving.assert_noise(5, 0);
}

#[tokio::test]
async fn no_body_within_the_limit_exhausts_the_default_memory() {
    let serving = Serving::of(guests::DEMO).await;
    let call = |x: Value| Message::call("countdown", json!({"seconds": 1, "x": x}));
    // 2 MB of what takes most memory for its length.
    let answer = serving.send(&call(json!(vec![json!({"": 0}); 250_000]))).await;
    assert_eq!(answer.code(), Some(-32602), "{}", answer.text());
    // As many values as are read, each of them a map of its own.
    let deep = (0..120).fold(json!(0), |inner, _| json!({"": inner}));
    let answer = serving.send(&call(json!(vec![deep; 800]))).await;
    assert!(answer.text().contains("Counted down 1 seconds."), "{}", answer.text());
    serving.assert_noise(0, 0);
}

#[tokio::test]
async fn time_is_bounded_in_a_stream_too() {
    let config = Config { exchange_timeout: Duration::from_millis(400), ..config() };
    let serving = Serving::with(config, guests::ANSWERS).await;
    let answer = serving.send(&Message::call("holds_streaming", json!({"ms": 60_000}))).await;
    assert_eq!(answer.status, 200, "the head had left");
    assert!(!answer.complete, "cut, and not ended: {}", answer.text());
    let line = serving.exchange().await;
    assert_eq!((line.level, &line["outcome"]), (Level::WARN, "timed-out"), "{line:?}");
    serving.assert_noise(0, 1);
    serving.assert_serves(&sleeps(0)).await;
}

#[tokio::test]
async fn a_busy_tool_does_not_stop_others() {
    let config = Config { exchange_timeout: Duration::from_millis(800), ..config() };
    let serving = Serving::with(config, guests::ANSWERS).await;
    let spins = Message::call("spins", json!({}));
    // More of them than the host has threads.
    let mut busy = Vec::new();
    for _ in 0..4 {
        let mut wire = serving.wire().await;
        wire.post(&spins).await;
        busy.push(wire);
    }
    serving.until_gauges("all are at work", |gauges| gauges.instances == 4).await;
    serving.assert_serves(&sleeps(10)).await;
    for mut wire in busy {
        assert_eq!(wire.answer().await.status, 504, "stopped in time");
    }
    serving.until_gauges("none is left", |gauges| gauges.instances == 0).await;
    serving.assert_noise(0, 4);
}

#[tokio::test]
async fn a_client_that_stops_reading_is_cut() {
    let config = Config { write_timeout: Duration::from_millis(300), ..config() };
    let serving = Serving::with(config, guests::STREAMS_WITHOUT_END).await;
    let mut wire = serving.wire().await;
    wire.post(&Message::call("anything", json!({}))).await;
    let start = Instant::now();
    let line = serving.exchange().await;
    assert!(start.elapsed() < Duration::from_secs(3), "after {:?}", start.elapsed());
    assert_eq!((line.level, &line["outcome"]), (Level::WARN, "client-gone"), "{line:?}");
    assert!(line["cause"].contains("stopped reading"), "{line:?}");
    serving.assert_noise(0, 1);
    drop(wire);
}
