//! What WASI 0.3 adds: a guest is told when its client leaves before the head, and an instance may
//! have several exchanges.

use std::time::{Duration, Instant};

use midge_host::Config;
use midge_tests::{LEAVINGS, Line, Message, Serving, Wire, config, guests, send, soon};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tracing::Level;

use crate::hosts::Wasmtime;

fn call(tool: &str, arguments: Value) -> Message {
    Message::call(tool, arguments).accept("application/json")
}

/// A call that has nothing to say before its client leaves, once its handler is at work. It leaves
/// work for afterwards.
async fn at_work(serving: &Serving, ms: u64) -> Wire {
    let mut wire = serving.wire().await;
    wire.post(&call("tells_and_holds", json!({"ms": ms}))).await;
    let heard = |lines: &[Line]| lines.iter().any(|line| line.get("message") == Some("at work"));
    serving.log().until("its handler", heard).await;
    wire
}

#[tokio::test]
async fn before_the_head_destructors_and_deferred_work_run() {
    for (how, leave) in LEAVINGS {
        let serving = Serving::of(guests::p3::ANSWERS).await;
        leave(at_work(&serving, 0).await);
        let line = serving.exchange().await;
        assert_eq!((line.level, &line["outcome"]), (Level::WARN, "client-gone"), "{how}: {line:?}");
        let told = ["at work", "guard dropped", "deferred work done"];
        assert_eq!(serving.log().output(), told, "{how}");
        serving.assert_noise(0, 1);
        serving.assert_serves(&call("sleeps", json!({"ms": 0}))).await;
    }
}

#[tokio::test]
async fn the_grace_is_not_for_ever() {
    let config = Config { abort_grace: Duration::from_millis(200), ..config() };
    let serving = Serving::with(config, guests::p3::ANSWERS).await;
    let left = Instant::now();
    drop(at_work(&serving, 60_000).await);
    assert_eq!(&serving.exchange().await["outcome"], "client-gone");
    assert!(left.elapsed() < Duration::from_secs(5), "after {:?}", left.elapsed());
    assert_eq!(serving.log().output(), ["at work", "guard dropped"], "its deferred work is cut");
}

/// `wasmtime serve` runs up to 16 exchanges at once in an instance.
#[tokio::test]
async fn neighbours_in_an_instance_are_left_alone() {
    let Some(wasmtime) = Wasmtime::serve(guests::p3::ANSWERS).await else { return };
    let addr = wasmtime.addr();
    // The first makes the instance in which the others find their place.
    assert_eq!(send(addr, &call("sleeps", json!({"ms": 0}))).await.result_text(), "slept 0 ms");
    let mut leaving = Wire::connect(addr).await;
    let steps = json!({"steps": 1000, "ms": 10});
    leaving.post(&Message::call("progress", steps).with_progress()).await;
    leaving.until("\"message\":\"step 2\"").await;
    let staying = json!({"steps": 20, "ms": 20});
    let message = Message::call("progress", staying).with_progress().id("staying");
    let staying = tokio::spawn(async move { send(addr, &message).await });
    let mut waiting = Wire::connect(addr).await;
    waiting.post(&call("tells_and_holds", json!({"ms": 0}))).await;
    let at_work = async {
        while !wasmtime.printed().contains("at work") {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    soon("its handler", at_work).await;
    for (_, leave) in LEAVINGS {
        let mut early = Wire::connect(addr).await;
        early.post(&call("sleeps", json!({"ms": 50}))).await;
        leave(early);
    }
    leaving.reset();
    drop(waiting);
    let answer = staying.await.expect("it is answered");
    assert_eq!(answer.result_text(), "20 steps", "{}", answer.text());
    assert_eq!(answer.events().len(), 21, "each step, and nobody else's: {}", answer.text());
    for event in answer.events() {
        assert!(event.get("id").is_none_or(|id| id == "staying"), "its own: {event}");
    }
    let greet = call("sleeps", json!({"ms": 0}));
    assert_eq!(send(addr, &greet).await.result_text(), "slept 0 ms", "the next");
    let printed = wasmtime.printed();
    assert!(printed.contains("midge: client-gone: "), "{printed}");
    for trouble in ["trap", "panic"] {
        assert!(!printed.contains(trouble), "{printed}");
    }
}

/// A host that reuses instances, and lets go of idle ones soon.
fn reusing() -> Config {
    let keep_alive = Duration::from_millis(300);
    Config { instance_reuse: 100, instance_concurrency: 16, keep_alive, ..config() }
}

/// The answer came with the next look at the connection, seconds later: nobody was woken for it.
#[tokio::test]
async fn a_shared_instance_is_waited_for_awake() {
    let late = midge_tests::PATIENCE * 3;
    let config = Config { head_timeout: late, write_timeout: late, keep_alive: late, ..reusing() };
    let serving = Serving::with(config, guests::p3::ANSWERS).await;
    let answer = serving.send(&call("sleeps", json!({"ms": 50}))).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
}

#[tokio::test]
async fn exchanges_share_an_instance_where_they_may() {
    let serving = Serving::with(reusing(), guests::p3::ANSWERS).await;
    let call = call("sized", json!({"bytes": 100}));
    let first = serving.send(&call).await;
    for _ in 0..20 {
        let next = serving.send(&call).await;
        assert_eq!(next.text(), first.text(), "nothing of the ones before is seen");
        assert_eq!(serving.gauges().instances, 1, "all in one");
    }
    for line in serving.exchanges(21).await {
        assert_eq!(&line["outcome"], "ok", "{line:?}");
    }
    serving.assert_noise(0, 0);
}

#[tokio::test]
async fn one_that_is_left_before_the_head_does_not_disturb_its_neighbour() {
    for (how, leave) in LEAVINGS {
        let serving = Serving::with(reusing(), guests::p3::ANSWERS).await;
        let leaving = at_work(&serving, 0).await;
        let steps = json!({"steps": 20, "ms": 20});
        let mut staying = serving.wire().await;
        staying.post(&Message::call("progress", steps).with_progress()).await;
        staying.until("\"message\":\"step 2\"").await;
        assert_eq!(serving.gauges().instances, 1, "{how}: they share it");
        leave(leaving);
        let dropped = |lines: &[Line]| {
            lines.iter().any(|line| line.get("message") == Some("deferred work done"))
        };
        serving.log().until("its end", dropped).await;
        // Whole: a client that leaves before the last chunk has disconnected too.
        staying.until("20 steps").await;
        staying.until("\r\n0\r\n\r\n").await;
        drop(staying);
        let outcomes = serving.exchanges(2).await;
        let outcomes: Vec<_> = outcomes.iter().map(|line| &line["outcome"]).collect();
        assert_eq!(outcomes, ["client-gone", "ok"], "{how}");
        let told = ["at work", "guard dropped", "deferred work done"];
        assert_eq!(serving.log().output(), told, "{how}");
        serving.assert_noise(0, 1);
    }
}

/// Their calls are cancelled at once, wherever their handlers are. A writer of theirs that was left
/// in the set of the task trapped, and ended the others.
#[tokio::test]
async fn clients_that_connect_send_and_close_do_not_disturb_their_neighbours() {
    let silent = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let addr = silent.local_addr().expect("it is bound").to_string();
    let url = format!("http://{addr}/");
    let early = [
        call("holds", json!({"ms": 60_000})),
        call("outbound", json!({"url": url})),
        call("outbound", json!({"url": url, "bytes": 1_000_000})),
        Message::call("progress", json!({"steps": 1000, "ms": 10})).with_progress(),
    ];
    for (how, leave) in LEAVINGS {
        let allow_outbound = vec![addr.parse().expect("a rule")];
        let config = Config { allow_outbound, instance_concurrency: 64, ..reusing() };
        let serving = Serving::with(config, guests::p3::ANSWERS).await;
        let mut staying = serving.wire().await;
        let steps = json!({"steps": 40, "ms": 20});
        staying.post(&Message::call("progress", steps).with_progress()).await;
        staying.until("\"message\":\"step 2\"").await;
        for (message, ms) in early.iter().zip([0, 2, 5, 20]).cycle().take(24) {
            let mut leaving = serving.wire().await;
            leaving.post(message).await;
            tokio::time::sleep(Duration::from_millis(ms)).await;
            leave(leaving);
        }
        assert_eq!(serving.gauges().instances, 1, "{how}: they share it");
        staying.until("40 steps").await;
        staying.until("\r\n0\r\n\r\n").await;
        drop(staying);
        serving.assert_serves(&call("sleeps", json!({"ms": 0}))).await;
        serving.until_idle().await;
        let lines = serving.log().exchanges();
        let count = |outcome: &str| lines.iter().filter(|line| &line["outcome"] == outcome).count();
        assert_eq!(count("ok"), 2, "{how}: the one that stayed, and the next: {lines:#?}");
        // A call whose upstream fails first is one that its tool has answered.
        let left = lines.len() - 2 - count("tool-error");
        assert_eq!(count("client-gone"), left, "{how}: {lines:#?}");
        serving.assert_noise(0, left);
    }
}

#[tokio::test]
async fn a_stream_that_spins_for_nobody_ends_with_its_instance() {
    // It would stay for longer than the test, were it only for want of exchanges.
    let (keep_alive, grace) = (Duration::from_secs(600), Duration::from_millis(200));
    let config = Config { keep_alive, abort_grace: grace, ..reusing() };
    let serving = Serving::with(config, guests::p3::ANSWERS).await;
    let mut wire = serving.wire().await;
    wire.post(&Message::call("spins_streaming", json!({})).with_progress()).await;
    wire.until("\"progress\"").await;
    let spins = |lines: &[Line]| lines.iter().any(|line| line.get("message") == Some("spinning"));
    serving.log().until("its loop", spins).await;
    drop(wire);
    assert_eq!(&serving.exchange().await["outcome"], "client-gone");
    serving.assert_serves(&call("sleeps", json!({"ms": 0}))).await;
}

#[tokio::test]
async fn a_stream_that_heeds_its_end_leaves_its_instance_to_others() {
    let config = Config { keep_alive: Duration::from_secs(600), ..reusing() };
    let serving = Serving::with(config, guests::p3::ANSWERS).await;
    let mut wire = serving.wire().await;
    let steps = json!({"steps": 1000, "ms": 10});
    wire.post(&Message::call("progress", steps).with_progress()).await;
    wire.until("\"message\":\"step 2\"").await;
    drop(wire);
    serving.until_gauges("its place is free", |gauges| gauges.permits == 0).await;
    serving.assert_serves(&call("sleeps", json!({"ms": 0}))).await;
    assert_eq!(serving.gauges().instances, 1, "the same");
}

#[tokio::test]
async fn a_panic_is_answered_and_ends_its_neighbours() {
    let serving = Serving::with(reusing(), guests::p3::ANSWERS).await;
    let mut neighbour = at_work(&serving, 0).await;
    let answer = serving.send(&call("panics", json!({})).id("mine")).await;
    assert_eq!((answer.status.as_u16(), answer.code()), (500, Some(-32603)), "{}", answer.text());
    assert_eq!(answer.json()["id"], "mine", "the one that panics");
    assert_eq!(neighbour.answer().await.status, 502, "the other in the instance");
    serving.assert_serves(&call("sleeps", json!({"ms": 0}))).await;
    let lines = serving.exchanges(3).await;
    let outcomes = lines.iter().filter(|line| &line["outcome"] == "trapped");
    assert_eq!(outcomes.count(), 2, "{lines:#?}");
}

#[tokio::test]
async fn as_many_as_may_share_an_instance_do() {
    let config = Config { instance_reuse: 2, instance_concurrency: 2, ..reusing() };
    let serving = Serving::with(config, guests::p3::ANSWERS).await;
    let mut wires = Vec::new();
    for _ in 0..5 {
        let mut wire = serving.wire().await;
        wire.post(&call("sleeps", json!({"ms": 500}))).await;
        wires.push(wire);
    }
    serving.until_gauges("three", |gauges| gauges.instances == 3).await;
    for mut wire in wires {
        assert_eq!(wire.answer().await.result_text(), "slept 500 ms");
    }
    serving.exchanges(5).await;
}
