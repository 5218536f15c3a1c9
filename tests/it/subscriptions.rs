//! Clients that listen, while others change what they listen to.

use std::time::{Duration, Instant};

use midge_host::Config;
use midge_tests::{LEAVINGS, Message, Serving, Wire, config};
use serde_json::{Value, json};
use tracing::Level;

use super::guests;
use crate::{
    hosts::Wasmtime,
    upstream::{Mood, Upstream},
};

const ID: &str = "io.modelcontextprotocol/subscriptionId";
const ACKNOWLEDGED: &str = "notifications/subscriptions/acknowledged";
const UPDATED: &str = "notifications/resources/updated";
const TOOLS: &str = "notifications/tools/list_changed";

/// How quickly an instance must be gone after its client, on a machine that does other things, too.
const AT_ONCE: Duration = Duration::from_millis(500);

/// A guest that lets its clients listen for this long, and what it asks for versions.
async fn serving(lifetime: Duration) -> (Serving, Upstream) {
    let upstream = Upstream::start().await;
    (Serving::with(grants(&upstream, lifetime), guests::SUBSCRIBES).await, upstream)
}

/// A lifetime that no test sees the end of.
async fn serving_long() -> (Serving, Upstream) {
    serving(Duration::from_secs(60)).await
}

fn variables(upstream: &Upstream, lifetime: Duration) -> [String; 2] {
    [upstream.variable(), format!("LIFETIME_MS={}", lifetime.as_millis())]
}

pub(crate) fn grants(upstream: &Upstream, lifetime: Duration) -> Config {
    let allow_outbound = vec!["127.0.0.1".parse().expect("a rule")];
    Config { env: variables(upstream, lifetime).into(), allow_outbound, ..config() }
}

fn listen(wanted: Value) -> Message {
    Message::modern("subscriptions/listen", json!({"notifications": wanted}))
}

/// Listens to one resource.
fn listen_to(name: &str) -> Message {
    listen(json!({"resourceSubscriptions": [format!("news://{name}")]}))
}

/// The next event of a stream.
async fn event(wire: &mut Wire) -> Value {
    wire.until("data: ").await;
    let json = wire.until("\n").await;
    serde_json::from_str(&json).unwrap_or_else(|error| panic!("{error}: {json}"))
}

/// Sends a request to listen, and waits until it is acknowledged.
async fn open(serving: &Serving, message: &Message) -> Wire {
    let mut wire = serving.wire().await;
    wire.post(message).await;
    assert_eq!(event(&mut wire).await["method"], ACKNOWLEDGED, "s2");
    wire
}

fn updated(id: impl Into<Value>, name: &str) -> Value {
    let params = json!({"_meta": {ID: id.into()}, "uri": format!("news://{name}")});
    json!({"jsonrpc": "2.0", "method": UPDATED, "params": params})
}

#[tokio::test]
async fn s2_s3_what_is_kept_of_the_wishes_comes_first() {
    let (serving, _upstream) = serving(Duration::from_millis(400)).await;
    let wishes = json!({
        "toolsListChanged": true, "promptsListChanged": true, "resourcesListChanged": true,
        "resourceSubscriptions": ["news://today", "news://nowhere", "news://today"],
    });
    for id in [json!(7), json!("7"), json!(9_007_199_254_740_991_i64)] {
        let answer = serving.send(&listen(wishes.clone()).id(id.clone())).await;
        assert_eq!(answer.header("content-type"), Some("text/event-stream"), "{answer:?}");
        let kept = json!({"toolsListChanged": true, "resourceSubscriptions": ["news://today"]});
        let params = json!({"_meta": {ID: id}, "notifications": kept});
        let first = json!({"jsonrpc": "2.0", "method": ACKNOWLEDGED, "params": params});
        assert_eq!(answer.events()[0], first, "{}", answer.text());
    }
    serving.exchanges(3).await;
    serving.assert_noise(0, 0);
}

#[tokio::test]
async fn s3_s4_only_what_was_asked_for_is_told() {
    let (serving, upstream) = serving_long().await;
    let wishes = json!({"toolsListChanged": true, "resourceSubscriptions": ["news://today"]});
    let mut wire = open(&serving, &listen(wishes).id(7)).await;
    let publish = |name: &str| Message::call("publish", json!({"name": name, "version": "2"}));
    for name in ["weather", "prompts", "today"] {
        assert_eq!(serving.send(&publish(name)).await.result_text(), "2", "{name}");
    }
    assert_eq!(event(&mut wire).await, updated(7, "today"), "by another instance");
    upstream.set("tools", "2");
    let changed = json!({"jsonrpc": "2.0", "method": TOOLS, "params": {"_meta": {ID: 7}}});
    assert_eq!(event(&mut wire).await, changed, "by somebody else");
    upstream.set("today", "3");
    assert_eq!(event(&mut wire).await, updated(7, "today"), "again");
    drop(wire);
    serving.exchanges(4).await;
    serving.assert_noise(0, 1);
}

#[tokio::test]
async fn s2_whatever_changes_after_the_acknowledgement_is_told() {
    let (serving, upstream) = serving_long().await;
    for n in 0..10 {
        let mut wire = open(&serving, &listen_to("today")).await;
        upstream.set("today", &format!("at once, {n}"));
        assert_eq!(event(&mut wire).await, updated(1, "today"), "{n}");
    }
    serving.exchanges(10).await;
}

#[tokio::test]
async fn s5_a_subscription_ends_with_a_result() {
    let (serving, upstream) = serving(Duration::from_millis(800)).await;
    let mut wire = open(&serving, &listen_to("today").id("mine")).await;
    upstream.set("today", "2");
    assert_eq!(event(&mut wire).await, updated("mine", "today"), "a change");
    let end = event(&mut wire).await;
    assert_eq!((&end["id"], &end["result"]["resultType"]), (&json!("mine"), &json!("complete")));
    assert_eq!(end["result"]["_meta"][ID], "mine", "{end}");
    let rest = wire.until("0\r\n\r\n").await;
    assert!(!rest.contains("data"), "nothing follows: {rest}");
    // The client listens again, on the same connection.
    wire.post(&listen_to("today").id("again")).await;
    assert_eq!(wire.answer().await.events().len(), 2, "acknowledged and ended");
    drop(wire);
    for line in serving.exchanges(2).await {
        let (outcome, method) = (&line["outcome"], line.get("method"));
        assert_eq!((outcome, method), ("ok", Some("subscriptions/listen")), "{line:?}");
    }
    serving.assert_noise(0, 0);
    upstream.until_left().await;
}

#[tokio::test]
async fn h28_the_instance_goes_with_its_client() {
    for (how, leave) in LEAVINGS {
        for mood in [Mood::Well, Mood::Silent] {
            let (serving, upstream) = serving_long().await;
            let wire = open(&serving, &listen_to("today")).await;
            upstream.be(mood);
            upstream.until_asked(1).await;
            let left = Instant::now();
            leave(wire);
            serving.until_gauges("it is gone", |gauges| gauges.instances == 0).await;
            assert!(left.elapsed() < AT_ONCE, "{how}, {mood:?}: after {:?}", left.elapsed());
            let line = serving.exchange().await;
            assert_eq!((line.level, &line["outcome"]), (Level::WARN, "client-gone"), "{line:?}");
            serving.assert_noise(0, 1);
            upstream.until_left().await;
        }
    }
}

#[tokio::test]
async fn s5_subscriptions_are_independent() {
    let (serving, upstream) = serving(Duration::from_secs(3)).await;
    let mut today = open(&serving, &listen_to("today").id(1)).await;
    let both = json!({"resourceSubscriptions": ["news://today", "news://weather"]});
    let mut both = open(&serving, &listen(both).id(2)).await;
    let leaving = open(&serving, &listen_to("weather").id(3)).await;
    assert_eq!(serving.gauges().instances, 3, "one for each");
    drop(leaving);
    serving.until_gauges("one has left", |gauges| gauges.instances == 2).await;
    upstream.set("weather", "2");
    assert_eq!(event(&mut both).await, updated(2, "weather"), "for one of them");
    upstream.set("today", "2");
    assert_eq!(event(&mut both).await, updated(2, "today"), "for both");
    assert_eq!(event(&mut today).await, updated(1, "today"), "for both");
    for (id, wire) in [(1, &mut today), (2, &mut both)] {
        let end = event(wire).await;
        assert_eq!((&end["id"], &end["result"]["_meta"][ID]), (&json!(id), &json!(id)), "{end}");
    }
    drop((today, both));
    serving.exchanges(3).await;
    serving.assert_noise(0, 1);
}

#[tokio::test]
async fn h17_while_nothing_changes_the_stream_is_kept_alive() {
    let (serving, _upstream) = serving(Duration::from_secs(1)).await;
    let answer = serving.send(&listen_to("today")).await;
    assert_eq!(answer.events().len(), 2, "acknowledged and ended: {}", answer.text());
    assert!(answer.comments() >= 3, "in between: {}", answer.text());
    assert!(answer.complete, "to its end");
    serving.exchange().await;
    serving.assert_noise(0, 0);
}

#[tokio::test]
async fn a_version_that_cannot_be_had_is_no_change() {
    for mood in [Mood::Fails, Mood::HangsUp] {
        let (serving, upstream) = serving_long().await;
        let wishes = json!({"toolsListChanged": true, "resourceSubscriptions": ["news://today"]});
        let mut wire = open(&serving, &listen(wishes)).await;
        // Each look asks for two versions.
        upstream.be(mood);
        upstream.until_asked(6).await;
        upstream.be(Mood::Well);
        upstream.until_asked(6).await;
        upstream.set("tools", "2");
        assert_eq!(event(&mut wire).await["method"], TOOLS, "{mood:?}: no change before this");
        upstream.be(mood);
        upstream.until_asked(2).await;
        upstream.set("today", "2");
        upstream.until_asked(6).await;
        upstream.be(Mood::Well);
        assert_eq!(event(&mut wire).await, updated(1, "today"), "{mood:?}: nothing is missed");
        drop(wire);
        serving.exchange().await;
        serving.assert_noise(0, 1);
    }
}

/// The conformance suite reads the acknowledgement for 0.8 s.
#[tokio::test]
async fn s2_a_source_that_is_silent_delays_the_acknowledgement_a_little_only() {
    let (serving, upstream) = serving(Duration::from_millis(600)).await;
    upstream.be(Mood::Silent);
    let asked = Instant::now();
    let mut wire = open(&serving, &listen_to("today")).await;
    assert!(asked.elapsed() < Duration::from_millis(800), "after {:?}", asked.elapsed());
    assert_eq!(event(&mut wire).await["result"]["resultType"], "complete", "and it ends in time");
    drop(wire);
    serving.exchange().await;
    serving.assert_noise(0, 0);
    upstream.until_left().await;
}

#[tokio::test]
async fn what_is_seen_late_may_have_changed_and_is_told() {
    for mood in [Mood::Slow, Mood::Fails] {
        let (serving, upstream) = serving_long().await;
        upstream.be(mood);
        let mut wire = open(&serving, &listen_to("today")).await;
        upstream.set("today", "2");
        upstream.be(Mood::Well);
        assert_eq!(event(&mut wire).await, updated(1, "today"), "{mood:?}");
    }
}

#[tokio::test]
async fn a_host_that_gives_less_than_the_lifetime_cuts_the_stream() {
    let upstream = Upstream::start().await;
    let grants = grants(&upstream, Duration::from_secs(60));
    let config = Config { exchange_timeout: Duration::from_millis(700), ..grants };
    let serving = Serving::with(config, guests::SUBSCRIBES).await;
    let answer = serving.send(&listen_to("today")).await;
    assert!(!answer.complete, "the client can tell: {}", answer.text());
    assert_eq!(answer.events().len(), 1, "there is no result: {}", answer.text());
    let line = serving.exchange().await;
    assert_eq!((line.level, &line["outcome"]), (Level::WARN, "timed-out"), "{line:?}");
    serving.assert_noise(0, 1);
}

#[tokio::test]
async fn wasmtime_serves_subscriptions() {
    let upstream = Upstream::start().await;
    let env = variables(&upstream, Duration::from_secs(3));
    let env = env.each_ref().map(String::as_str);
    let Some(wasmtime) = Wasmtime::serve_with(guests::SUBSCRIBES, &env).await else { return };
    let mut wire = Wire::connect(wasmtime.addr()).await;
    wire.post(&listen_to("today").id(7)).await;
    assert_eq!(event(&mut wire).await["method"], ACKNOWLEDGED, "s2");
    upstream.set("today", "2");
    assert_eq!(event(&mut wire).await, updated(7, "today"), "s4");
    assert_eq!(event(&mut wire).await["result"]["_meta"][ID], 7, "s5");
    let printed = wasmtime.printed();
    assert!(!printed.contains("midge:"), "nobody complains: {printed}");
}
