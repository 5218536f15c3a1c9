//! The end of a server: what is at work may end, and nothing new begins.

use std::time::Duration;

use midge_host::{Config, Host, Server};
use midge_tests::{Answer, Http2, Line, Message, Serving, Wire, config, guests, join, soon};
use serde_json::json;
use tokio::net::TcpStream;
use tracing::Level;

fn progress() -> Message {
    Message::call("progress", json!({"steps": 4, "ms": 700})).with_progress()
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

fn greet() -> Message {
    Message::call("greet", json!({"name": "you"}))
}

fn assert_greets(answer: &Answer) {
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert!(answer.complete && answer.result_text().contains("you"), "{}", answer.text());
}

/// Sends requests on one connection, one after the other, until an answer says that it is the last.
/// Returns how many were answered. A request without an answer fails the test.
async fn until_closed(mut wire: Wire) -> usize {
    for answered in 1.. {
        wire.post(&greet()).await;
        let answer = wire.answer().await;
        assert_greets(&answer);
        if answer.header("connection") == Some("close") {
            assert_eq!(wire.rest().await, b"", "the server closes the connection");
            return answered;
        }
    }
    0
}

#[tokio::test]
async fn keep_alive_clients_lose_no_request_to_a_shutdown() {
    let serving = Serving::with(Config { max_exchanges: 256, ..config() }, guests::HELLO).await;
    let mut clients = Vec::new();
    for _ in 0..100 {
        clients.push(tokio::spawn(until_closed(serving.wire().await)));
    }
    let all_are_busy = |lines: &[Line]| lines.len() >= 500;
    serving.log().until("all clients are busy", all_are_busy).await;
    serving.handle().shutdown();
    let mut answered = 0;
    for client in clients {
        answered += join("a client", client).await;
    }
    serving.exchanges(answered).await;
    serving.assert_noise(0, 0);
}

#[tokio::test]
async fn a_request_on_an_idle_connection_is_answered_during_a_shutdown() {
    let serving = Serving::of(guests::HELLO).await;
    let (mut used, mut fresh, mut silent) =
        (serving.wire().await, serving.wire().await, serving.wire().await);
    used.post(&greet()).await;
    assert_greets(&used.answer().await);
    serving.until_gauges("all are accepted", |gauges| gauges.sockets == 3).await;
    serving.handle().shutdown();
    tokio::time::sleep(Duration::from_millis(300)).await;
    for wire in [&mut used, &mut fresh] {
        wire.post(&greet()).await;
        let answer = wire.answer().await;
        assert_greets(&answer);
        assert_eq!(answer.header("connection"), Some("close"));
    }
    assert_eq!(silent.rest().await, b"", "a connection without a request is closed");
}

#[tokio::test]
async fn clients_in_the_backlog_are_answered_during_a_shutdown() {
    let host = Host::new(config()).expect("the host starts");
    let guest = host.load(guests::HELLO).expect("the guest loads");
    let server = Server::bind(&host, guest, config().addr).await.expect("there is a free port");
    let (addr, handle) = (server.local_addr(), server.handle());
    let mut clients = Vec::new();
    for _ in 0..8 {
        clients.push(tokio::spawn(until_closed(Wire::connect(addr).await)));
    }
    handle.shutdown();
    soon("the server's end", server.run()).await.expect("it ends well");
    for client in clients {
        assert_eq!(join("a client", client).await, 1);
    }
    assert!(TcpStream::connect(addr).await.is_err(), "nobody listens any more");
}

#[tokio::test]
async fn http2_requests_are_answered_before_the_connection_is_closed() {
    let serving = Serving::of(guests::ANSWERS).await;
    let client = Http2::connect(serving.addr()).await;
    let sleeps = Message::call("sleeps", json!({"ms": 300}));
    let call = client.send(&sleeps);
    let shutdown = async {
        serving.until_gauges("it runs", |gauges| gauges.instances == 1).await;
        serving.handle().shutdown();
    };
    let (response, ()) = tokio::join!(call, shutdown);
    assert!(!response.headers().contains_key("connection"), "HTTP/2 has a frame for that");
    let answer = Answer::read(response).await;
    assert!(answer.status == 200 && answer.complete, "{}", answer.text());
    serving.until_idle().await;
}
