//! What a guest without the SDK's care may not do to its host.

use std::{
    net::{Ipv4Addr, SocketAddr},
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use midge_host::Config;
use midge_tests::{LEAVINGS, Line, Message, Serving, config, guests, send, soon};
use serde_json::json;
use tokio::{
    io::AsyncReadExt,
    net::{TcpListener, TcpStream},
};
use tracing::Level;

/// How quickly a guest must be gone after its client, on a machine that does other things, too.
const AT_ONCE: Duration = Duration::from_millis(500);

fn told(path: &'static str) -> Message {
    Message::call("anything", json!({})).path(path)
}

fn assert_gone(serving: &Serving, line: &Line) {
    assert_eq!((line.level, &line["outcome"]), (Level::WARN, "client-gone"), "{line:?}");
    serving.assert_noise(0, 1);
}

/// The grace is for guests that know that they have one.
#[tokio::test]
async fn a_busy_stream_has_no_grace() {
    for (how, leave) in LEAVINGS {
        let config = Config { abort_grace: Duration::from_secs(10), ..config() };
        let serving = Serving::with(config, guests::TOLD).await;
        let mut wire = serving.wire().await;
        wire.post(&told("/stream-then-spin")).await;
        wire.until("data: 1").await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        let left = Instant::now();
        leave(wire);
        let line = serving.exchange().await;
        assert!(left.elapsed() < AT_ONCE, "{how}: after {:?}", left.elapsed());
        assert_gone(&serving, &line);
    }
}

#[tokio::test]
async fn a_guest_that_has_noticed_has_its_grace() {
    let config = Config { abort_grace: Duration::from_secs(10), ..config() };
    let serving = Serving::with(config, guests::TOLD).await;
    let mut wire = serving.wire().await;
    wire.post(&told("/stream-then-notice-then-spin")).await;
    wire.until("data: 2").await;
    drop(wire);
    let line = serving.exchange().await;
    assert_gone(&serving, &line);
    assert_eq!(serving.log().output(), ["deferred work done"], "it was not cut");
}

#[tokio::test]
async fn a_call_made_in_a_stream_is_closed_at_once() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
    let addr = listener.local_addr().expect("it has an address");
    // A path of the test's own; it lives as long as the tests.
    let path: &'static str = format!("/stream-then-call/{addr}").leak();
    for (how, leave) in LEAVINGS {
        let config = Config {
            allow_outbound: vec!["127.0.0.1".parse().expect("a rule")],
            abort_grace: Duration::from_secs(2),
            ..config()
        };
        let serving = Serving::with(config, guests::TOLD).await;
        let mut wire = serving.wire().await;
        wire.post(&told(path)).await;
        let (mut upstream, _) = soon("the call", listener.accept()).await.expect("it comes");
        let mut request = vec![0; 4096];
        let read = soon("the request", upstream.read(&mut request)).await.expect("it comes");
        assert!(read > 0, "{how}: the call is at work");
        let left = Instant::now();
        leave(wire);
        while soon("the end", upstream.read(&mut request)).await.is_ok_and(|read| read > 0) {}
        assert!(left.elapsed() < AT_ONCE, "{how}: after {:?}", left.elapsed());
        let line = serving.exchange().await;
        assert_gone(&serving, &line);
    }
}

#[tokio::test]
async fn a_truncated_request_starts_no_guest() {
    for (how, leave) in LEAVINGS {
        let serving = Serving::of(guests::TOLD).await;
        let mut wire = serving.wire().await;
        wire.send(told("/read-then-spin").head("content-length: 1000\r\n")).await;
        serving.until_gauges("it has begun", |gauges| gauges.receiving == 1).await;
        let left = Instant::now();
        leave(wire);
        let line = serving.exchange().await;
        assert!(left.elapsed() < AT_ONCE, "{how}: after {:?}", left.elapsed());
        assert_gone(&serving, &line);
    }
}

#[tokio::test]
async fn a_client_that_only_stops_sending_is_told_by_the_host() {
    let serving = Serving::of(guests::TOLD).await;
    let mut wire = serving.wire().await;
    wire.send(told("/read-then-spin").head("content-length: 1000\r\n")).await;
    wire.half_close().await;
    let answer = wire.answer().await;
    assert_eq!(answer.status, 400, "{}", answer.text());
    assert_eq!(wire.rest().await, b"", "and the end");
    assert_gone(&serving, &serving.exchange().await);
}

/// Closing while the client still sends would reset the connection, and the answer be lost.
#[tokio::test]
async fn an_early_refusal_reaches_a_client_that_goes_on_sending() {
    let serving = Serving::of(guests::TOLD).await;
    for message in [told("/refuse"), told("/refuse").header("host", "evil.example")] {
        for _ in 0..5 {
            let large = Message { body: vec![b' '; 4 << 20], ..message.clone() };
            let mut wire = serving.wire().await;
            wire.send(large.bytes()).await;
            let answer = wire.answer().await;
            assert!(matches!(answer.status.as_u16(), 400 | 403), "{}", answer.text());
        }
    }
}

/// hyper does not ask for a body that is announced to be empty.
#[tokio::test]
async fn work_after_an_empty_answer_is_not_cut() {
    let serving = Serving::of(guests::TOLD).await;
    let mut wire = serving.wire().await;
    wire.post(&told("/accept-then-work")).await;
    assert_eq!(wire.answer().await.status, 202, "at once");
    serving.until_gauges("the work is done", |gauges| gauges.instances == 0).await;
    drop(wire);
    assert_eq!(&serving.exchange().await["outcome"], "ok", "its client has all it wants");
    assert_eq!(serving.log().output(), ["deferred work done"], "it was not cut");
    serving.assert_noise(0, 0);
}

/// Nothing of the socket is read meanwhile, so its end is not simply come upon.
#[tokio::test]
async fn a_client_is_missed_though_its_request_is_not_read() {
    // More than the host buffers by itself. What the system does not buffer holds back the end, too.
    let large = Message { body: vec![b' '; 60 << 10], ..told("/spin") };
    for (how, leave) in LEAVINGS {
        for message in [told("/spin"), large.clone()] {
            let serving = Serving::with(config(), guests::TOLD).await;
            let mut wire = serving.wire().await;
            wire.post(&message).await;
            serving.until_gauges("it has begun", |gauges| gauges.instances == 1).await;
            let left = Instant::now();
            leave(wire);
            let line = serving.exchange().await;
            assert!(left.elapsed() < AT_ONCE, "{how}: after {:?}", left.elapsed());
            assert_gone(&serving, &line);
        }
    }
}

#[tokio::test]
async fn a_client_is_missed_behind_what_it_has_pipelined() {
    for (how, leave) in LEAVINGS {
        let serving = Serving::with(config(), guests::TOLD).await;
        let mut wire = serving.wire().await;
        let spin = told("/read-then-spin").bytes();
        wire.send([spin.clone(), spin].concat()).await;
        serving.until_gauges("it has begun", |gauges| gauges.instances == 1).await;
        tokio::time::sleep(Duration::from_millis(100)).await;
        let left = Instant::now();
        leave(wire);
        let line = serving.exchange().await;
        assert!(left.elapsed() < AT_ONCE, "{how}: after {:?}", left.elapsed());
        assert_gone(&serving, &line);
    }
}

#[tokio::test]
async fn what_a_guest_has_of_the_host_is_bounded() {
    let serving = Serving::of(guests::TOLD).await;
    let answer = serving.send(&told("/hoard")).await;
    assert_eq!(answer.status, 502, "{}", answer.text());
    let line = serving.exchange().await;
    assert_eq!((line.level, &line["outcome"]), (Level::ERROR, "trapped"), "{line:?}");
    assert!(line["duration_ms"].parse::<f64>().expect("a number") < 1000.0, "soon: {line:?}");
    serving.assert_noise(1, 0);
}

#[tokio::test]
async fn only_lines_with_the_key_on_standard_error_tell_the_host() {
    let serving = Serving::of(guests::TOLD).await;
    for path in ["/mark-on-output", "/mark-without-key"] {
        serving.send(&told(path)).await;
    }
    for line in serving.exchanges(2).await {
        assert_eq!(&line["outcome"], "ok", "text for people: {line:?}");
    }
    let output = serving.log().output();
    assert!(output[0].ends_with(" midge: client-gone: told on standard output"), "{output:?}");
    assert_eq!(output[1..], ["midge: client-gone: told without the key"]);
    serving.send(&told("/mark")).await;
    let line = serving.exchanges(3).await.remove(2);
    assert_eq!(&line["cause"], "told on standard error", "whatever is unfinished elsewhere");
}

#[tokio::test]
async fn a_public_address_without_names_is_warned_of_once() {
    let public: SocketAddr = "0.0.0.0:0".parse().expect("an address");
    for (names, warnings) in [(vec![], 1), (vec!["localhost".parse().expect("a rule")], 0)] {
        let config = Config { addr: public, allow_host: names, ..config() };
        let serving = Serving::with(config, guests::HELLO).await;
        let local = SocketAddr::from((Ipv4Addr::LOCALHOST, serving.addr().port()));
        for _ in 0..2 {
            let greet = Message::call("greet", json!({"name": "you"}));
            assert_eq!(send(local, &greet).await.status, 200, "it serves");
        }
        let lines = serving.log().at(Level::WARN);
        assert_eq!(lines.len(), warnings, "{lines:?}");
    }
}

/// No pause is too long, and yet it would take for ever.
#[tokio::test]
async fn a_body_that_only_drips_is_given_up() {
    let config = Config { body_timeout: Duration::from_millis(300), ..config() };
    let serving = Serving::with(config, guests::HELLO).await;
    let mut wire = serving.wire().await;
    wire.send(told("/mcp").head("content-length: 1000\r\n")).await;
    let start = Instant::now();
    while serving.log().exchanges().is_empty() {
        wire.send(" ").await;
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert!(start.elapsed() < Duration::from_secs(5), "it is let go on");
    }
    assert_eq!(wire.answer().await.status, 408, "too slow");
    drop(wire);
    assert_eq!(&serving.exchange().await["outcome"], "rejected", "the line says so");
}

/// A client of HTTP/2 that answers pings, and gives this much room for an answer.
async fn without_window(serving: &Serving, window: u32) -> impl Sized {
    let stream = TcpStream::connect(serving.addr()).await.expect("it accepts");
    let (mut sender, connection) = http2::Builder::new(TokioExecutor::new())
        .initial_stream_window_size(window)
        .handshake(TokioIo::new(stream))
        .await
        .expect("a connection is ready");
    tokio::spawn(async { drop(connection.await) });
    let message = Message::call("sized", json!({"bytes": 1000}));
    let mut request = Request::post("http://localhost/mcp");
    for (name, value) in &message.headers {
        request = request.header(name, value);
    }
    let request = request.body(Full::new(Bytes::from(message.body))).expect("a request");
    let response = soon("a head", sender.send_request(request)).await.expect("it is answered");
    (sender, response)
}

#[tokio::test]
async fn a_closed_window_is_not_waited_at_for_ever() {
    let config = Config { write_timeout: Duration::from_millis(300), ..config() };
    let serving = Serving::with(config, guests::ANSWERS).await;
    let client = without_window(&serving, 0).await;
    let line = serving.exchange().await;
    assert_gone(&serving, &line);
    assert!(line["cause"].contains("stopped reading"), "{line:?}");
    drop(client);
}

#[tokio::test]
async fn responses_that_nobody_receives_keep_nobody_out() {
    let serving = Serving::with(Config { max_exchanges: 4, ..config() }, guests::ANSWERS).await;
    let mut idle = Vec::new();
    for _ in 0..10 {
        idle.push(without_window(&serving, 0).await);
    }
    serving.until_gauges("no guest runs", |gauges| gauges.permits == 0).await;
    let message = Message::call("sized", json!({"bytes": 1000}));
    for _ in 0..10 {
        assert_eq!(serving.send(&message).await.status, 200, "a good client");
    }
    drop(idle);
}

/// The host has handed over the whole answer; what is left of it is in the connection.
#[tokio::test]
async fn a_narrow_window_does_not_keep_its_connection() {
    let config = Config {
        keep_alive: Duration::from_millis(300),
        head_timeout: Duration::from_millis(300),
        ..config()
    };
    let serving = Serving::with(config, guests::ANSWERS).await;
    let client = without_window(&serving, 10).await;
    serving.until_idle().await;
    drop(client);
}
