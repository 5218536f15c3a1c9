//! How connections end.

use std::time::Duration;

use serde_json::json;

use super::{call_and_watch, talk};
use crate::tests::wire::modern_message;
use crate::transport::stdio::DRAIN;

const GONE: &str = "midge: client-gone: stream closed";

#[test]
fn the_end_of_the_input_is_the_end() {
    let (mut talk, _, _) = talk();
    talk.call(1, "quick");
    assert!(!talk.is_over());
    talk.end_input();
    assert!(talk.is_over());
    assert_eq!(talk.answered(), [1]);
    assert!(talk.log().is_empty());
}

#[test]
fn what_is_at_work_when_the_input_ends_is_finished() {
    let (mut talk, events, gate) = talk();
    talk.call(1, "waits");
    talk.end_input();
    assert!(!talk.is_over() && events.take().is_empty());
    talk.advance(DRAIN / 2);
    gate.open();
    talk.settle();
    assert!(talk.is_over());
    assert_eq!(talk.answered(), [1]);
    assert_eq!(events.take(), ["dropped", "deferred"]);
    assert!(talk.log().is_empty());
}

#[test]
fn what_takes_too_long_then_is_cut() {
    let (mut talk, events, _) = talk();
    talk.call(1, "waits");
    talk.end_input();
    talk.advance(DRAIN);
    assert!(talk.is_over());
    assert!(talk.heard().is_empty());
    assert_eq!(events.take(), ["dropped", "deferred, cancelled"]);
    assert_eq!(talk.log(), ["midge: requests were cut: the input had ended before"]);
}

#[test]
fn a_last_message_need_not_end_its_line() {
    let (mut talk, _, _) = talk();
    let message = modern_message("tools/list", json!({})).to_string();
    talk.send(message.as_bytes());
    assert!(talk.heard().is_empty());
    talk.end_input();
    assert_eq!(talk.answered(), [1]);
    assert!(talk.is_over() && talk.log().is_empty());
}

#[test]
fn an_input_that_ends_in_a_message_is_a_client_that_has_gone() {
    let (mut talk, events, _) = talk();
    talk.call(1, "waits");
    talk.send(br#"{"jsonrpc":"2.0","id":2,"met"#);
    talk.end_input();
    assert!(talk.is_over() && talk.heard().is_empty());
    assert_eq!(events.take(), ["dropped", "deferred, cancelled"]);
    let cause = "the input ended in the middle of a message";
    assert_eq!(talk.log(), [format!("midge: client-gone: {cause}")]);
}

#[test]
fn an_input_that_fails_is_a_client_that_has_gone() {
    let (mut talk, events, _) = talk();
    talk.call(1, "waits");
    talk.break_input();
    assert!(talk.is_over() && talk.heard().is_empty());
    assert_eq!(events.take(), ["dropped", "deferred, cancelled"]);
    assert_eq!(talk.log(), [GONE], "one line, without the backtrace");
}

#[test]
fn a_client_that_goes_while_nothing_is_at_work_is_not_missed() {
    let (mut talk, _, _) = talk();
    talk.call(1, "quick");
    assert_eq!(talk.answered(), [1]);
    talk.break_input();
    assert!(talk.is_over() && talk.log().is_empty());
}

#[test]
fn a_client_that_closes_the_output_has_gone() {
    for taken in 0..3 {
        let (mut talk, events, gate) = talk();
        talk.close_output_after(taken);
        talk.call(1, "waits");
        for id in 2..6 {
            talk.call(id, "quick");
        }
        assert!(talk.is_over(), "after {taken}");
        assert_eq!(talk.answered().len(), taken);
        assert_eq!(events.take(), ["dropped", "deferred, cancelled"]);
        assert_eq!(talk.log(), [GONE]);
        gate.open();
        talk.settle();
        assert!(talk.heard().is_empty());
    }
}

#[test]
fn a_client_may_go_in_the_middle_of_what_a_handler_tells() {
    let (mut talk, events, _) = talk();
    talk.close_output_after(0);
    call_and_watch(&mut talk, 1, "tells");
    assert!(talk.is_over());
    assert_eq!(events.take(), ["dropped"], "it was not told that its progress had arrived");
    assert_eq!(talk.log(), [GONE]);
}

#[test]
fn what_runs_to_completion_has_its_time_without_a_client() {
    let (mut talk, events, gate) = talk();
    talk.call(1, "unstoppable");
    talk.break_input();
    assert!(!talk.is_over());
    gate.open();
    talk.settle();
    assert!(talk.is_over());
    assert_eq!(events.take(), ["completed", "dropped"]);

    let (mut talk, events, _) = super::talk();
    talk.call(1, "unstoppable");
    talk.break_input();
    talk.advance(DRAIN);
    assert!(talk.is_over());
    assert_eq!(events.take(), ["dropped"], "and no more than that");
}

#[test]
fn a_client_that_takes_nothing_does_not_keep_the_server() {
    let (mut talk, events, gate) = talk();
    talk.set_stuck(true);
    gate.open();
    talk.call(1, "waits");
    talk.call(2, "quick");
    talk.end_input();
    assert!(!talk.is_over());
    talk.advance(DRAIN);
    talk.advance(DRAIN);
    assert!(talk.is_over() && talk.heard().is_empty());
    assert_eq!(events.take(), ["dropped", "deferred, cancelled"]);
}

#[test]
fn a_long_line_without_an_end_is_the_end() {
    let (mut talk, _, _) = talk();
    for _ in 0..5 {
        talk.send(&vec![b'x'; 1 << 20]);
    }
    assert_eq!(talk.refusal().1, -32600);
    talk.advance(Duration::from_secs(1));
    talk.end_input();
    assert!(talk.is_over() && talk.log().is_empty());
}
