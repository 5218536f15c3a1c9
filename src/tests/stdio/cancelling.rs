//! `notifications/cancelled`.

use serde_json::{Value, json};

use super::{call_and_watch, talk};

#[test]
fn a_cancelled_request_stops_and_is_not_answered() {
    let (mut talk, events, gate) = talk();
    talk.call(1, "waits");
    assert!(events.take().is_empty());
    talk.cancel(1);
    assert_eq!(events.take(), ["dropped", "deferred, cancelled"]);
    gate.open();
    talk.settle();
    assert!(talk.heard().is_empty());
    talk.call(2, "quick");
    assert_eq!(talk.answered(), [2]);
    assert!(talk.log().is_empty(), "nothing of note");
}

#[test]
fn only_the_request_of_that_very_id_is_cancelled() {
    let (mut talk, events, gate) = talk();
    talk.call(1, "waits");
    talk.call("1", "waits");
    talk.cancel(2);
    talk.cancel(json!(1.5));
    talk.cancel(Value::Null);
    for params in [json!({}), json!([1]), json!({ "requestId": {} }), json!(null)] {
        talk.say(&json!({
            "jsonrpc": "2.0", "method": "notifications/cancelled", "params": params,
        }));
    }
    assert!(events.take().is_empty());
    talk.cancel("1");
    assert_eq!(events.take(), ["dropped", "deferred, cancelled"]);
    gate.open();
    talk.settle();
    let answered: Vec<_> = talk.heard().into_iter().map(|answer| answer["id"].clone()).collect();
    assert_eq!(answered.last(), Some(&json!(1)));
    assert!(!answered.contains(&json!("1")));
}

#[test]
fn a_cancellation_that_comes_too_late_is_nothing() {
    let (mut talk, events, gate) = talk();
    gate.open();
    talk.call(1, "waits");
    assert_eq!(talk.answered(), [1]);
    talk.cancel(1);
    assert_eq!(events.take(), ["dropped", "deferred"]);
    assert!(talk.heard().is_empty());
}

#[test]
fn what_a_cancelled_request_had_to_say_is_not_said() {
    let (mut talk, events, gate) = talk();
    call_and_watch(&mut talk, 1, "tells");
    assert_eq!(talk.heard_one()["method"], "notifications/progress");
    assert_eq!(events.take(), ["told"]);
    talk.cancel(1);
    assert_eq!(events.take(), ["dropped"]);
    gate.open();
    talk.settle();
    assert!(talk.heard().is_empty());
}

#[test]
fn what_runs_to_completion_does_so_and_is_not_answered() {
    let (mut talk, events, gate) = talk();
    talk.call(1, "unstoppable");
    talk.cancel(1);
    assert!(events.take().is_empty());
    gate.open();
    talk.settle();
    assert_eq!(events.take(), ["completed", "dropped"]);
    assert!(talk.heard().is_empty());
}

#[test]
fn a_slow_client_can_cancel_what_is_waiting_to_be_told() {
    let (mut talk, events, gate) = talk();
    talk.set_stuck(true);
    gate.open();
    call_and_watch(&mut talk, 1, "tells");
    call_and_watch(&mut talk, 2, "tells");
    assert!(events.take().is_empty(), "a handler waits until its client has taken what it says");
    talk.cancel(2);
    assert_eq!(events.take(), ["dropped"]);
    talk.set_stuck(false);
    let heard = talk.heard();
    assert!(heard.iter().any(|message| message["id"] == 1), "{heard:?}");
    assert!(!heard.iter().any(|message| message["id"] == 2), "{heard:?}");
}
