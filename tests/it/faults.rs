//! Guests that misbehave: the client gets a proper failure or a cut connection, the log one line,
//! and the next exchange notices nothing.

use std::time::Duration;

use midge_host::Config;
use midge_tests::{Answer, Line, Message, Serving, config, for_each_misbehaving_guest, guests};
use serde_json::json;
use tracing::Level;

macro_rules! assert_test_exists {
    ($name:ident) => {
        #[expect(unused_imports, reason = "does not compile where there is no such test")]
        use self::$name as _;
    };
}

for_each_misbehaving_guest!(assert_test_exists);

fn call() -> Message {
    Message::call("anything", json!({}))
}

/// One exchange with a guest that misbehaves, and its line.
async fn exchange(config: Config, guest: &str) -> (Serving, Answer, Line) {
    let serving = Serving::with(config, guest).await;
    let answer = serving.send(&call()).await;
    let line = serving.exchange().await;
    (serving, answer, line)
}

/// Checks that the host has answered in the place of its guest.
fn assert_fault(answer: &Answer, status: u16) {
    assert_eq!(answer.status, status, "{}", answer.text());
    assert!(answer.complete, "an answer of the host is whole");
    assert_eq!(answer.header("content-type"), Some("application/json"), "it is JSON");
    let origins = answer.header("access-control-allow-origin");
    assert_eq!(origins, Some("*"), "a browser may show it");
    let json = answer.json();
    assert_eq!(json["jsonrpc"], "2.0", "it is JSON-RPC: {json}");
    assert_eq!(json["error"]["code"], -32603, "an internal error: {json}");
    assert!(json.get("id").is_none(), "the host has not read the id: {json}");
}

/// Checks that the client was told that what it got is not all.
fn assert_cut(answer: &Answer, status: u16) {
    assert_eq!(answer.status, status, "the head was right");
    assert!(!answer.complete, "the end is not a clean one: {}", answer.text());
}

fn assert_line(line: &Line, level: Level, outcome: &str, cause: &str) {
    assert_eq!((line.level, &line["outcome"]), (level, outcome), "{line:?}");
    assert!(line["cause"].contains(cause), "the cause is told: {line:?}");
    assert!(!line["cause"].contains('\n'), "in one line: {line:?}");
}

/// Checks that the log has nothing more to say, and that the server goes on.
async fn assert_recovers(serving: &Serving) {
    let is_error = serving.log().exchanges()[0].level == Level::ERROR;
    serving.assert_noise(usize::from(is_error), usize::from(!is_error));
    serving.handle().swap(serving.load(guests::HELLO));
    serving.assert_serves(&Message::call("greet", json!({"name": "you"}))).await;
    serving.exchanges(2).await;
}

#[tokio::test]
async fn traps_at_once() {
    let (serving, answer, line) = exchange(config(), guests::TRAPS_AT_ONCE).await;
    assert_fault(&answer, 502);
    assert_line(&line, Level::ERROR, "trapped", "unreachable");
    assert_recovers(&serving).await;
}

#[tokio::test]
async fn traps_after_the_head() {
    let (serving, answer, line) = exchange(config(), guests::TRAPS_AFTER_THE_HEAD).await;
    assert_fault(&answer, 502);
    assert_line(&line, Level::ERROR, "trapped", "unreachable");
    assert_recovers(&serving).await;
}

#[tokio::test]
async fn traps_in_the_body() {
    let (serving, answer, line) = exchange(config(), guests::TRAPS_IN_THE_BODY).await;
    assert_cut(&answer, 200);
    assert_eq!(answer.text(), r#"{"jsonrpc":"2.0","#, "what was written has come");
    assert_line(&line, Level::ERROR, "trapped", "unreachable");
    assert_recovers(&serving).await;
}

#[tokio::test]
async fn streams_then_traps() {
    let (serving, answer, line) = exchange(config(), guests::STREAMS_THEN_TRAPS).await;
    assert_cut(&answer, 200);
    assert_eq!(answer.events(), [json!({"event": 1})], "the event has come");
    assert_line(&line, Level::ERROR, "trapped", "unreachable");
    assert_recovers(&serving).await;
}

#[tokio::test]
async fn streams_without_end() {
    let serving = Serving::of(guests::STREAMS_WITHOUT_END).await;
    let mut wire = serving.wire().await;
    wire.post(&call()).await;
    for _ in 0..100 {
        wire.until("\n\n").await;
    }
    drop(wire);
    let line = serving.exchange().await;
    assert_line(&line, Level::WARN, "client-gone", "disconnected");
    assert_recovers(&serving).await;
}

#[tokio::test]
async fn loops_forever() {
    let config = Config { exchange_timeout: Duration::from_millis(300), ..config() };
    let (serving, answer, line) = exchange(config, guests::LOOPS_FOREVER).await;
    assert_fault(&answer, 504);
    assert_line(&line, Level::WARN, "timed-out", "too long");
    assert_recovers(&serving).await;
}

#[tokio::test]
async fn sleeps_forever() {
    let config = Config { exchange_timeout: Duration::from_millis(300), ..config() };
    let (serving, answer, line) = exchange(config, guests::SLEEPS_FOREVER).await;
    assert_fault(&answer, 504);
    assert_line(&line, Level::WARN, "timed-out", "too long");
    assert_recovers(&serving).await;
}

#[tokio::test]
async fn allocates_without_end() {
    let config = Config { memory: 16 << 20, ..config() };
    let (serving, answer, line) = exchange(config, guests::ALLOCATES_WITHOUT_END).await;
    assert_fault(&answer, 502);
    assert_line(&line, Level::ERROR, "trapped", "memory");
    assert_recovers(&serving).await;
}

#[tokio::test]
async fn answers_nothing() {
    let (serving, answer, line) = exchange(config(), guests::ANSWERS_NOTHING).await;
    assert_fault(&answer, 502);
    assert_line(&line, Level::ERROR, "trapped", "without a response");
    assert_recovers(&serving).await;
}

#[tokio::test]
async fn answers_with_an_error_code() {
    let (serving, answer, line) = exchange(config(), guests::ANSWERS_WITH_AN_ERROR_CODE).await;
    assert_fault(&answer, 502);
    assert!(!answer.text().contains("no luck"), "the guest's words stay inside");
    assert_line(&line, Level::ERROR, "trapped", "no luck");
    assert_recovers(&serving).await;
}

#[tokio::test]
async fn answers_twice() {
    let (serving, answer, line) = exchange(config(), guests::ANSWERS_TWICE).await;
    assert_fault(&answer, 502);
    assert_line(&line, Level::ERROR, "trapped", "");
    assert_recovers(&serving).await;
}

#[tokio::test]
async fn a_failure_leaves_the_connection_as_it_was() {
    let serving = Serving::of(guests::TRAPS_AT_ONCE).await;
    let mut wire = serving.wire().await;
    for _ in 0..3 {
        wire.post(&call()).await;
        assert_fault(&wire.answer().await, 502);
    }
    serving.handle().swap(serving.load(guests::HELLO));
    wire.post(&Message::call("greet", json!({"name": "you"}))).await;
    assert_eq!(wire.answer().await.result_text(), "Hello, you!", "on the same connection");
    drop(wire);
    serving.exchanges(4).await;
    serving.assert_noise(3, 0);
}

#[tokio::test]
async fn neighbours_of_a_trap_notice_nothing() {
    let serving = Serving::of(guests::ANSWERS).await;
    let slow = Message::call("sleeps", json!({"ms": 200}));
    let panics = Message::call("panics", json!({}));
    let (a, b, c) = tokio::join!(serving.send(&slow), serving.send(&panics), serving.send(&slow));
    assert_eq!(b.status, 500, "the one that panics");
    for answer in [a, c] {
        assert_eq!(answer.result_text(), "slept 200 ms", "the ones that do not");
    }
    serving.exchanges(3).await;
    serving.assert_noise(1, 0);
}
