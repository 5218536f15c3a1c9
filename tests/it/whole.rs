//! The host receives a request whole before it calls a guest, and most calls need no component; nobody
//! can tell but by the time it takes.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    thread,
};

use midge_host::{Config, Host, Server};
use midge_tests::{Message, Serving, Wire, config, guests, send, soon};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    runtime,
};

/// More than the fast path takes.
const TOO_LARGE: usize = 65 << 10;

fn greet(name: &str) -> Message {
    Message::call("greet", json!({ "name": name }))
}

/// A server that counts its requests, and its address.
async fn counting() -> (Arc<AtomicUsize>, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
    let url = format!("http://{}/", listener.local_addr().expect("it has an address"));
    let count = Arc::<AtomicUsize>::default();
    let counted = Arc::clone(&count);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::SeqCst);
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                request.push(stream.read_u8().await.expect("the request comes"));
            }
            let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
            drop(stream.write_all(answer).await);
            drop(stream.shutdown().await);
            drop(stream.read_to_end(&mut request).await);
        }
    });
    (count, url)
}

#[tokio::test]
async fn what_reaches_the_world_reaches_it_once() {
    let (count, url) = counting().await;
    let allow_outbound = vec!["127.0.0.1".parse().expect("a rule")];
    let serving = Serving::with(Config { allow_outbound, ..config() }, guests::ANSWERS).await;
    for calls in 1..=3 {
        let answer = serving.send(&Message::call("outbound", json!({ "url": url }))).await;
        assert_eq!(answer.result_text(), "ok", "{}", answer.text());
        assert_eq!(count.load(Ordering::SeqCst), calls, "one request for one call");
    }
    serving.exchanges(3).await;
    serving.assert_noise(0, 0);
}

#[tokio::test]
async fn a_call_that_needs_nothing_of_the_world_is_answered_without_a_component() {
    let serving = Serving::of(guests::HELLO).await;
    for _ in 0..3 {
        assert_eq!(serving.send(&greet("you")).await.result_text(), "Hello, you!");
    }
    serving.exchanges(3).await;
    assert_eq!(serving.log().attempts(), [None, None, None]);
}

#[tokio::test]
async fn a_call_that_needs_the_world_says_what_it_needed_and_is_tried_again_only_later() {
    let serving = Serving::of(guests::ANSWERS).await;
    for _ in 0..3 {
        serving.send(&Message::call("outbound", json!({ "url": "http://127.0.0.1:1/" }))).await;
    }
    serving.exchanges(3).await;
    let attempts = serving.log().attempts();
    let [Some(reason)] = &attempts[..] else { panic!("one attempt: {attempts:?}") };
    assert!(reason.starts_with("the guest calls wasi:http/"), "{reason}");
}

#[tokio::test]
async fn what_an_attempt_cannot_return_begins_anew() {
    let large = TOO_LARGE;
    for (tool, arguments) in [
        ("progress", json!({ "steps": 2, "ms": 0 })),
        ("deferred", json!({ "ms": 0 })),
        ("sized", json!({ "bytes": large })),
    ] {
        let serving = Serving::of(guests::ANSWERS).await;
        let answer = serving.send(&Message::call(tool, arguments)).await;
        assert!(answer.complete, "{tool}: {}", answer.text());
        assert_eq!(&serving.exchange().await["outcome"], "ok", "{tool}");
        let attempts = serving.log().attempts();
        assert!(matches!(&attempts[..], [Some(_)]), "{tool}: one that failed: {attempts:?}");
        let done = serving.log().output().iter().filter(|line| line.contains("work done")).count();
        assert_eq!(done, usize::from(tool == "deferred"), "{tool}: once");
        serving.assert_noise(0, 0);
    }
}

#[tokio::test]
async fn a_panic_is_told_once() {
    let serving = Serving::of(guests::ANSWERS).await;
    let answer = serving.send(&Message::call("panics", json!({}))).await;
    assert_eq!(answer.json()["error"]["code"], -32603, "{}", answer.text());
    let line = serving.exchange().await;
    assert_eq!(&line["outcome"], "trapped", "{line:?}");
    assert!(line["cause"].contains("the tool panics"), "{line:?}");
    serving.assert_noise(1, 0);
}

#[tokio::test]
async fn an_answer_is_the_same_off_the_fast_path() {
    let serving = Serving::of(guests::HELLO).await;
    let small = greet("you");
    let mut large = small.clone();
    large.body.resize(small.body.len() + TOO_LARGE, b' ');
    let (one, other) = (serving.send(&small).await, serving.send(&large).await);
    assert_eq!(one.result_text(), "Hello, you!", "{}", one.text());
    let without_date = |answer: &midge_tests::Answer| {
        let mut headers = answer.headers.clone();
        headers.remove("date");
        headers
    };
    assert_eq!((one.status, one.text()), (other.status, other.text()), "the same");
    assert_eq!(without_date(&one), without_date(&other), "and under the same head");
    let lines = serving.exchanges(2).await;
    for fact in ["outcome", "era", "method", "name", "id", "status"] {
        assert_eq!(lines[0][fact], lines[1][fact], "{fact}: {lines:#?}");
    }
}

#[tokio::test]
async fn a_large_argument_arrives() {
    let serving = Serving::of(guests::HELLO).await;
    let name = "x".repeat(2 * TOO_LARGE);
    let answer = serving.send(&greet(&name)).await;
    assert_eq!(answer.result_text(), format!("Hello, {name}!"), "all of it");
    serving.exchange().await;
}

/// Sends a head that announces a body of `length` bytes, and the first `sent` of them.
async fn begin(serving: &Serving, message: &Message, length: usize, sent: usize) -> Wire {
    let mut wire = serving.wire().await;
    wire.send(message.head(&format!("content-length: {length}\r\n"))).await;
    wire.send(&message.body[..sent]).await;
    wire
}

#[tokio::test]
async fn slow_senders_do_not_keep_others_out() {
    let config = Config { max_exchanges: 1, ..config() };
    for guest in [guests::HELLO, guests::p3::HELLO] {
        let serving = Serving::with(config.clone(), guest).await;
        let message = greet("you");
        let length = message.body.len();
        let mut slow = Vec::new();
        for _ in 0..5 {
            slow.push(begin(&serving, &message, length, length / 2).await);
        }
        serving.until_gauges("all have begun", |gauges| gauges.receiving == 5).await;
        assert_eq!((serving.gauges().permits, serving.gauges().instances), (0, 0), "nothing to do");
        assert_eq!(serving.send(&message).await.result_text(), "Hello, you!", "a good client");
        for mut wire in slow {
            wire.send(&message.body[length / 2..]).await;
            assert_eq!(wire.answer().await.result_text(), "Hello, you!", "a slow one");
        }
        serving.exchanges(6).await;
        serving.assert_noise(0, 0);
    }
}

#[tokio::test]
async fn bodies_that_wait_for_their_rest_are_bounded() {
    let config = Config { max_body: 8 << 10, body_buffer: 16 << 10, ..config() };
    let serving = Serving::with(config, guests::HELLO).await;
    let mut message = greet("you");
    message.body.resize(7 << 10, b' ');
    let mut first = begin(&serving, &message, 7 << 10, 6 << 10).await;
    serving.until_gauges("it has begun", |gauges| gauges.receiving == 1).await;
    // How much of the first has arrived is not visible, so the second is sent until it is too much.
    let refused = async {
        loop {
            let answer = serving.send(&message).await;
            if answer.status != 200 {
                break answer;
            }
        }
    };
    let answer = soon("one too many", refused).await;
    assert_eq!((answer.status.as_u16(), answer.code()), (503, Some(-32603)), "{}", answer.text());
    assert_eq!(answer.header("retry-after"), Some("1"), "when to come back");
    first.send(&message.body[6 << 10..]).await;
    assert_eq!(first.answer().await.result_text(), "Hello, you!", "the first is not disturbed");
    serving.assert_serves(&message).await;
}

#[tokio::test]
async fn a_guest_that_recurses_for_ever_traps() {
    let serving = Serving::of(guests::ANSWERS).await;
    let answer = serving.send(&Message::call("recurses", json!({}))).await;
    assert_eq!(answer.status, 502, "{}", answer.text());
    let line = serving.exchange().await;
    assert_eq!(&line["outcome"], "trapped", "{line:?}");
    assert!(line["cause"].contains("stack"), "{line:?}");
    assert!(matches!(&serving.log().attempts()[..], [Some(_)]), "the fast path was attempted");
}

/// On the fast path, a guest runs on the stack of the thread that serves it.
#[test]
fn a_guest_that_recurses_for_ever_traps_in_a_program_with_a_small_stack() {
    let host = Host::new(config()).unwrap();
    let guest = host.load(guests::ANSWERS).unwrap();
    let (bound, server) = mpsc::channel();
    let serve = move || {
        let runtime = runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let server = Server::bind(&host, guest, config().addr).await.unwrap();
            bound.send((server.local_addr(), server.handle())).unwrap();
            server.run().await.unwrap();
        });
    };
    let thread = thread::Builder::new().stack_size(512 << 10).spawn(serve).unwrap();
    let (addr, handle) = server.recv().unwrap();
    let runtime = runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        for _ in 0..2 {
            let answer = send(addr, &Message::call("recurses", json!({}))).await;
            assert_eq!(answer.status, 502, "{}", answer.text());
            let answer = send(addr, &Message::call("sized", json!({ "bytes": 7 }))).await;
            assert_eq!(answer.result_text(), "0000000", "the server goes on");
        }
    });
    handle.shutdown();
    thread.join().unwrap();
}

/// Two tools of a client that sends no `Mcp-Name`: one bails out, the other stays on the fast path.
#[tokio::test]
async fn tools_of_legacy_clients_are_told_apart() {
    let serving = Serving::of(guests::ANSWERS).await;
    for tool in ["sized", "outbound", "outbound", "sized", "outbound", "sized"] {
        let arguments = json!({ "bytes": 7, "url": "http://127.0.0.1:1/" });
        serving.send(&Message::legacy_call(tool, arguments)).await;
    }
    serving.exchanges(6).await;
    let attempts = serving.log().attempts();
    let [None, Some(_), None, None] = &attempts[..] else { panic!("{attempts:?}") };
}
