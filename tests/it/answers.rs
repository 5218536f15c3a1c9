//! What a client gets, of every size and in every form.

use midge_host::Config;
use midge_tests::{Answer, Message, Serving, config};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use tracing::Level;

use super::guests;
use crate::upstream::Upstream;

const JSON: &str = "application/json";
const EVENTS: &str = "text/event-stream";

fn call(tool: &str, arguments: Value) -> Message {
    Message::call(tool, arguments)
}

#[tokio::test]
async fn a_call_is_answered() {
    let serving = Serving::of(guests::HELLO).await;
    let answer = serving.send(&call("greet", json!({"name": "you"}))).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.result_text(), "Hello, you!", "the tool's own words");
    assert!(answer.header("content-length").is_some(), "its length is known");
    let line = serving.exchange().await;
    for (field, value) in [
        ("outcome", "ok"),
        ("era", "modern"),
        ("method", "tools/call"),
        ("name", "greet"),
        ("id", "1"),
        ("http_method", "POST"),
        ("path", "/mcp"),
        ("status", "200"),
        ("bytes", &answer.body.len().to_string()),
    ] {
        assert_eq!(&line[field], value, "{field} in the line of the exchange: {line:?}");
    }
    serving.assert_noise(0, 0);
}

#[tokio::test]
async fn what_guest_and_host_tell_each_other_stays_between_them() {
    let serving = Serving::of(guests::ANSWERS).await;
    let mut wire = serving.wire().await;
    for tool in ["sleeps", "holds_streaming", "completes"] {
        wire.post(&call(tool, json!({"ms": 1}))).await;
        let answer = wire.answer().await;
        assert!(answer.complete, "{tool}");
        for name in answer.headers.keys() {
            assert!(!name.as_str().starts_with("midge"), "{tool}: {name}");
            assert_ne!(name, "trailer", "{tool}: trailers that do not come");
        }
    }
}

#[tokio::test]
async fn every_size_arrives_whole() {
    let serving = Serving::of(guests::ANSWERS).await;
    for bytes in [0, 1, 3_000, 4_096, 5_000, 300_000, 9_000_000] {
        for accept in [JSON, EVENTS] {
            let answer = serving.send(&call("sized", json!({"bytes": bytes})).accept(accept)).await;
            assert!(answer.complete, "{bytes} bytes of {accept} end as they should");
            assert_eq!(answer.header("content-type"), Some(accept), "what was asked for");
            let text = answer.result_text();
            assert_eq!(text.len(), bytes, "{bytes} bytes of {accept}");
            assert!(text == sized(bytes), "{bytes} bytes of {accept} are the right ones");
        }
    }
    serving.exchanges(14).await;
    serving.assert_noise(0, 0);
}

/// What the tool `sized` gives.
fn sized(bytes: usize) -> String {
    let mut text: String = (0..bytes.div_ceil(8)).map(|n| format!("{n:07} ")).collect();
    text.truncate(bytes);
    text
}

#[tokio::test]
async fn exchanges_follow_each_other_on_a_connection() {
    let serving = Serving::of(guests::ANSWERS).await;
    let mut wire = serving.wire().await;
    for (n, bytes) in [10, 300_000, 0, 5_000].into_iter().enumerate() {
        for accept in [JSON, EVENTS] {
            wire.post(&call("sized", json!({"bytes": bytes})).id(n).accept(accept)).await;
            let answer = wire.answer().await;
            assert_eq!(answer.json()["id"], n, "each gets its own answer");
            assert_eq!(answer.result_text().len(), bytes, "all of it");
        }
    }
    wire.post(&call("nothing", json!({}))).await;
    assert_eq!(wire.answer().await.code(), Some(-32602), "an error does not end the connection");
    wire.post(&call("sized", json!({"bytes": 1}))).await;
    assert_eq!(wire.answer().await.result_text(), "0", "nor what follows it");
    assert_eq!(serving.gauges().sockets, 1, "all on one connection");
    drop(wire);
    serving.exchanges(10).await;
    serving.assert_noise(0, 0);
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order() {
    let serving = Serving::of(guests::ANSWERS).await;
    let mut wire = serving.wire().await;
    let request = |n: u64| call("sleeps", json!({"ms": 60 - 20 * n})).id(n).bytes();
    wire.send([request(0), request(1), request(2)].concat()).await;
    for n in 0..3 {
        assert_eq!(wire.answer().await.json()["id"], n, "in the order of the requests");
    }
    drop(wire);
    serving.exchanges(3).await;
    serving.assert_noise(0, 0);
}

/// The JSON-RPC error of a tool that panics.
fn assert_panicked(answer: &Answer) {
    assert!(answer.complete, "the client can tell that this is all");
    let json = answer.json();
    assert_eq!(json["error"]["code"], -32603, "an internal error: {json}");
    assert_eq!(json["id"], "mine", "of this request: {json}");
    assert!(!json.to_string().contains("panics"), "without internals: {json}");
}

/// The log says once what the panic was.
async fn assert_panic_logged(serving: &Serving, message: &str) {
    let line = serving.exchange().await;
    assert_eq!((line.level, &line["outcome"]), (Level::ERROR, "trapped"), "{line:?}");
    assert!(line["cause"].contains(message), "{line:?}");
    let told = format!("{:?}", serving.log().lines());
    assert_eq!(told.matches(message).count(), 1, "told once: {told}");
    serving.assert_noise(1, 0);
}

#[tokio::test]
async fn a_panic_before_the_head_is_a_500() {
    let serving = Serving::of(guests::ANSWERS).await;
    let answer = serving.send(&call("panics", json!({})).id("mine")).await;
    assert_eq!(answer.status, 500, "{}", answer.text());
    assert_panicked(&answer);
    assert_panic_logged(&serving, "the tool panics").await;
    serving.assert_serves(&call("sleeps", json!({"ms": 0}))).await;
}

#[tokio::test]
async fn what_a_tool_prints_does_not_change_the_line_of_its_exchange() {
    let serving = Serving::of(guests::ANSWERS).await;
    let texts = ["midge: panic: forged", "midge: client-gone: forged", "0 midge: panic: forged"];
    for text in texts {
        let answer = serving.send(&call("prints", json!({"text": text}))).await;
        assert_eq!(answer.result_text(), "printed");
    }
    for line in serving.exchanges(texts.len()).await {
        assert_eq!((line.level, &line["outcome"]), (Level::INFO, "ok"), "{line:?}");
        assert_eq!(line.get("cause"), None, "{line:?}");
    }
    assert_eq!(serving.log().output(), texts, "text like any other");
    serving.assert_noise(0, 0);
}

#[tokio::test]
async fn a_panic_before_the_handler_is_blamed_on_the_request() {
    let serving = Serving::of(guests::ANSWERS).await;
    let answer = serving.send(&call("panics_reading", json!({"text": ""})).id("mine")).await;
    assert_eq!(answer.status, 500, "{}", answer.text());
    assert_panicked(&answer);
    assert_panic_logged(&serving, "the tool panics at its arguments").await;
}

#[tokio::test]
async fn a_panic_in_a_stream_is_its_last_event() {
    let serving = Serving::of(guests::ANSWERS).await;
    let message = call("panics_streaming", json!({})).id("mine").with_progress();
    let answer = serving.send(&message).await;
    assert_eq!(answer.status, 200, "the head had left");
    assert_eq!(answer.events().len(), 2, "progress, and the error: {}", answer.text());
    assert_panicked(&answer);
    assert_panic_logged(&serving, "the tool panics in the stream").await;
    serving.assert_serves(&call("sleeps", json!({"ms": 0}))).await;
}

#[tokio::test]
async fn progress_makes_a_stream_of_the_answer() {
    let serving = Serving::of(guests::ANSWERS).await;
    let message = call("progress", json!({"steps": 3})).with_progress();
    let answer = serving.send(&message).await;
    assert_eq!(answer.header("content-type"), Some(EVENTS), "a stream");
    assert_eq!(answer.header("x-accel-buffering"), Some("no"), "proxies must not hold it back");
    let events = answer.events();
    let steps: Vec<_> = events.iter().map(|event| event["params"]["progress"].as_f64()).collect();
    assert_eq!(steps, [Some(1.0), Some(2.0), Some(3.0), None], "three steps and the result");
    assert_eq!(events[0]["params"]["progressToken"], "token", "of this request");
    assert_eq!(answer.result_text(), "3 steps", "the result is last");

    let quiet = serving.send(&call("progress", json!({"steps": 3}))).await;
    assert_eq!(quiet.header("content-type"), Some(JSON), "nobody asked for progress");
    let answer = serving.send(&message.accept(JSON)).await;
    assert_eq!(answer.header("content-type"), Some(JSON), "the client takes no stream");
    assert_eq!(answer.result_text(), "3 steps", "it gets its result");
}

#[tokio::test]
async fn progress_comes_when_it_is_made() {
    let serving = Serving::of(guests::ANSWERS).await;
    let mut wire = serving.wire().await;
    wire.post(&call("progress", json!({"steps": 2, "ms": 200})).with_progress()).await;
    let first = wire.until("\"progress\":1").await;
    assert!(first.contains(EVENTS), "the head comes with it: {first}");
    assert_eq!(serving.gauges().instances, 1, "and the tool is still at work");
    assert!(wire.until("2 steps").await.contains("\"progress\":2"), "the rest");
}

#[tokio::test]
async fn logs_go_to_those_who_asked() {
    let serving = Serving::of(guests::ANSWERS).await;
    let count = async |message: Message| {
        let answer = serving.send(&message).await;
        assert_eq!(answer.result_text(), "logged", "{}", answer.text());
        match answer.header("content-type") {
            Some(EVENTS) => answer.events().len() - 1,
            _ => 0,
        }
    };
    let logs = || call("logs", json!({}));
    assert_eq!(count(logs()).await, 0, "not asked for");
    assert_eq!(count(logs().meta("logLevel", "debug")).await, 3, "all of them");
    assert_eq!(count(logs().meta("logLevel", "warning")).await, 1, "the worst");
    let legacy = Message::legacy_call("logs", json!({}));
    assert_eq!(count(legacy).await, 2, "legacy clients get information and worse");
}

#[tokio::test]
async fn a_quiet_tool_is_kept_alive() {
    let serving = Serving::of(guests::ANSWERS).await;
    let short = serving.send(&call("sleeps", json!({"ms": 50}))).await;
    assert_eq!(short.header("content-type"), Some(JSON), "not quiet for long");
    let long = serving.send(&call("sleeps", json!({"ms": 1000}))).await;
    assert_eq!(long.header("content-type"), Some(EVENTS), "a stream after 300 ms");
    // One for the head, then one every 100 ms; a busy machine may be late.
    assert!((3..=8).contains(&long.comments()), "keep-alives: {}", long.text());
    assert_eq!(long.result_text(), "slept 1000 ms", "and the result");
    let json = serving.send(&call("sleeps", json!({"ms": 600})).accept(JSON)).await;
    assert_eq!(json.header("content-type"), Some(JSON), "the client takes no stream");
}

#[tokio::test]
async fn headers_reach_the_handler() {
    let serving = Serving::of(guests::ANSWERS).await;
    let message = call("echo_header", json!({"name": "x-Tenant"})).header("X-tenant", "blue");
    assert_eq!(serving.send(&message).await.result_text(), "blue", "whatever the case");
}

#[tokio::test]
async fn deferred_work_runs_after_the_answer() {
    let serving = Serving::of(guests::ANSWERS).await;
    let answer = serving.send(&call("deferred", json!({"ms": 100}))).await;
    assert_eq!(answer.result_text(), "answered", "the answer does not wait for it");
    let line = serving.exchange().await;
    assert_eq!(&line["outcome"], "ok", "{line:?}");
    assert_eq!(serving.log().output(), ["deferred work done"], "it is done");
    serving.assert_noise(0, 0);
}

#[tokio::test]
async fn deferred_work_is_bounded() {
    let config = Config { abort_grace: std::time::Duration::from_millis(100), ..config() };
    let serving = Serving::with(config, guests::ANSWERS).await;
    let answer = serving.send(&call("deferred", json!({"ms": 60_000}))).await;
    assert_eq!(answer.result_text(), "answered", "the client notices nothing");
    let line = serving.exchange().await;
    assert_eq!(&line["outcome"], "ok", "{line:?}");
    assert_eq!(serving.log().output(), [""; 0], "it was cut");
}

/// A server that answers everything with these words.
async fn upstream(words: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
    let url = format!("http://{}/", listener.local_addr().expect("it has an address"));
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let length = words.len();
            let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{words}");
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                request.push(stream.read_u8().await.expect("the request comes"));
            }
            // What is closed with something unread is reset, and then the answer may be lost; the
            // end of the request's body may come after its head.
            let rest = async {
                stream.write_all(answer.as_bytes()).await?;
                stream.shutdown().await?;
                stream.read_to_end(&mut request).await
            };
            drop(tokio::time::timeout(midge_tests::PATIENCE, rest).await);
        }
    });
    url
}

/// The answer was given up for a "connection reset" now and then: hosts do not wait for the end of a
/// body that `GET` does not have, and the guest took that for a failure.
#[tokio::test]
async fn no_answer_is_lost_to_the_end_of_a_body_that_nobody_reads() {
    let upstream = Upstream::start().await;
    let url = format!("http://{}/thing", upstream.addr());
    let allow_outbound = vec!["127.0.0.1".parse().expect("a rule")];
    let serving = Serving::with(Config { allow_outbound, ..config() }, guests::ANSWERS).await;
    for _ in 0..50 {
        let answer = serving.send(&call("outbound", json!({"url": url}))).await;
        assert_eq!(answer.result_text(), "1");
    }
}

/// Another server, which takes bodies only whose length it is told, and says how long they were.
async fn measuring() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
    let url = format!("http://{}/", listener.local_addr().expect("it has an address"));
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(stream.read_u8().await.expect("the request comes"));
            }
            let head = String::from_utf8_lossy(&head).to_ascii_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            let length = length.map_or(0, |length| length.parse().expect("a length"));
            let mut body = vec![0; length];
            stream.read_exact(&mut body).await.expect("the body comes");
            let said = format!("{length:08}");
            let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\n{said}");
            stream.write_all(answer.as_bytes()).await.expect("the answer is taken");
        }
    });
    url
}

#[tokio::test]
async fn a_body_goes_out_with_its_length() {
    let url = measuring().await;
    let allow_outbound = vec!["127.0.0.1".parse().expect("a rule")];
    let serving = Serving::with(Config { allow_outbound, ..config() }, guests::ANSWERS).await;
    for bytes in [0, 1, 1_000_000] {
        let answer = serving.send(&call("outbound", json!({"url": url, "bytes": bytes}))).await;
        assert_eq!(answer.result_text(), format!("{bytes:08}"));
    }
}

#[tokio::test]
async fn a_tool_calls_the_servers_it_may() {
    let url = upstream("from upstream").await;
    let fetch = call("outbound", json!({"url": url}));
    let denied = Serving::of(guests::ANSWERS).await;
    let answer = denied.send(&fetch).await;
    assert_eq!(answer.json()["result"]["isError"], true, "{}", answer.text());
    assert_eq!(&denied.exchange().await["outcome"], "tool-error", "a failure of the tool");
    denied.assert_noise(0, 0);

    let allow_outbound = vec!["127.0.0.1".parse().expect("a rule")];
    let allowed = Serving::with(Config { allow_outbound, ..config() }, guests::ANSWERS).await;
    assert_eq!(allowed.send(&fetch).await.result_text(), "from upstream", "named, so allowed");
    let nobody = call("outbound", json!({"url": "http://127.0.0.1:1/"}));
    let answer = allowed.send(&nobody).await;
    assert_eq!(answer.json()["result"]["isError"], true, "nobody there: {}", answer.text());
    allowed.exchanges(2).await;
    allowed.assert_noise(0, 0);
}
