//! Several requests at once.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use serde_json::json;

use super::talk::{Events, Gate, Pipe, Talk};
use super::{call_and_watch, talk, waits};
use crate::tests::wire::modern_message;
use crate::{Context, NoArguments, Server, Tool};

/// The line of a modern call.
fn call(id: u32, tool: &str) -> String {
    let mut message = modern_message("tools/call", json!({ "name": tool }));
    message["id"] = json!(id);
    format!("{message}\n")
}

/// Two tools, each with a gate of its own.
fn gated() -> (Talk, Gate, Gate) {
    let gates = (Gate::default(), Gate::default());
    let (first, second) = gates.clone();
    let talk = Talk::with(move || {
        let tool = |name: &'static str, gate: &Gate| {
            let gate = gate.clone();
            let handler = move |_: NoArguments| {
                let gate = gate.clone();
                async move { gate.opened().await }
            };
            Tool::new(name, handler).description("x")
        };
        Server::new("gates", "1").tool(tool("first", &first)).tool(tool("second", &second))
    });
    (talk, gates.0, gates.1)
}

#[test]
fn answers_come_when_they_are_there() {
    let (mut talk, first, second) = gated();
    talk.call(1, "first");
    talk.call(2, "second");
    talk.ask(3, "tools/list", json!({}));
    assert_eq!(talk.answered(), [3]);
    second.open();
    talk.settle();
    assert_eq!(talk.answered(), [2]);
    first.open();
    talk.settle();
    assert_eq!(talk.answered(), [1]);
}

#[test]
fn notifications_come_in_between_and_before_their_answer() {
    let (mut talk, _, gate) = talk();
    call_and_watch(&mut talk, 1, "tells");
    call_and_watch(&mut talk, 2, "tells");
    let tokens: Vec<_> =
        talk.heard().iter().map(|told| told["params"]["progressToken"].clone()).collect();
    assert_eq!(tokens, [1, 2]);
    talk.call(3, "quick");
    assert_eq!(talk.answered(), [3]);
    gate.open();
    talk.settle();
    let heard = talk.heard();
    for id in [1, 2] {
        assert!(heard.iter().any(|message| message["id"] == id), "{heard:?}");
    }
    assert_eq!(heard[0]["method"], "notifications/message");
    assert_eq!(heard.len(), 4, "{heard:?}");
}

#[test]
fn there_is_an_end_to_how_many() {
    let (mut talk, events, gate) = talk();
    for id in 0..100 {
        talk.call(id, "waits");
    }
    assert!(talk.heard().is_empty());
    talk.call(100, "waits");
    assert_eq!(talk.refusal(), (json!(100), -32603));
    talk.ask(101, "tools/list", json!({}));
    assert_eq!(talk.answered(), [101], "what needs no handler is answered");
    talk.cancel(50);
    assert_eq!(events.take(), ["dropped", "deferred, cancelled"]);
    talk.call(102, "waits");
    assert!(talk.heard().is_empty(), "there is room again");
    gate.open();
    talk.settle();
    assert_eq!(talk.answered().len(), 100);
}

#[test]
fn many_requests_at_once_are_all_answered() {
    let (mut talk, _, _) = talk();
    let lines: String = (0..5000).map(|id| call(id, "quick")).collect();
    talk.send(lines.as_bytes());
    let heard = talk.heard();
    assert_eq!(heard.len(), 5000);
    for (id, answer) in heard.iter().enumerate() {
        assert_eq!((&answer["id"], answer.get("error")), (&json!(id), None));
    }
}

#[test]
fn many_requests_at_once_wait_for_a_client_that_takes_nothing() {
    let (mut talk, _, _) = talk();
    talk.set_stuck(true);
    let lines: String = (0..5000).map(|id| call(id, "quick")).collect();
    talk.send(lines.as_bytes());
    assert!(talk.heard().is_empty());
    talk.set_stuck(false);
    let heard = talk.heard();
    assert_eq!(heard.iter().filter(|answer| answer.get("error").is_none()).count(), 5000);
}

#[test]
fn only_handlers_that_wait_make_a_server_busy() {
    let (mut talk, _, gate) = talk();
    let waiting = (0..150).map(|id| call(id, "waits"));
    let lines: String = waiting.chain((150..400).map(|id| call(id, "quick"))).collect();
    talk.send(lines.as_bytes());
    let refused: Vec<_> = (100..400).map(|id| json!(id)).collect();
    assert_eq!(talk.answered(), refused, "100 wait");
    // Those that can go on do, before another one is refused.
    gate.open();
    let lines: String = (400..600).map(|id| call(id, "quick")).collect();
    talk.send(lines.as_bytes());
    let heard = talk.heard();
    assert_eq!(heard.len(), 300);
    assert!(heard.iter().all(|answer| answer.get("error").is_none()), "{heard:?}");
}

#[test]
fn a_cancelled_handler_makes_room_within_the_same_piece() {
    let (mut talk, _, _) = talk();
    for id in 0..100 {
        talk.call(id, "waits");
    }
    let cancel = json!({
        "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": 7 },
    });
    talk.send(format!("{cancel}\n{}", call(100, "quick")).as_bytes());
    let answer = talk.heard_one();
    assert_eq!((&answer["id"], answer.get("error")), (&json!(100), None));
}

#[test]
fn a_handler_that_waits_has_its_turn_while_much_is_read() {
    let (mut talk, events, gate) = talk();
    talk.call("first", "waits");
    gate.open();
    let lines: String = (0..5000).map(|id| call(id, "quick")).collect();
    talk.send(lines.as_bytes());
    assert_eq!(events.take(), ["dropped", "deferred"]);
    assert_eq!(talk.answered().first(), Some(&json!("first")));
}

/// A panic in a component ends it after the hook, which writes what is on its way.
#[test]
fn what_is_finished_is_on_its_way_when_the_next_handler_runs() {
    let seen = Rc::new(RefCell::new(Vec::new()));
    let pipe = Rc::new(RefCell::new(None::<Rc<Pipe>>));
    let parts = (Rc::clone(&seen), Rc::clone(&pipe));
    let mut talk = Talk::with(move || {
        let (seen, pipe) = (Rc::clone(&parts.0), Rc::clone(&parts.1));
        let handler = move |_: NoArguments| {
            let (seen, pipe) = (Rc::clone(&seen), Rc::clone(&pipe));
            async move { seen.borrow_mut().push(pipe.borrow().as_ref().unwrap().on_its_way()) }
        };
        Server::new("looks", "1").tool(Tool::new("looks", handler).description("x"))
    });
    *pipe.borrow_mut() = Some(Rc::clone(&talk.pipe));
    let three: String = (0..3).map(|id| call(id, "looks")).collect();
    talk.send(three.as_bytes());
    assert_eq!(seen.take(), [0, 1, 2]);
    talk.heard();
    talk.set_stuck(true);
    talk.send(three.as_bytes());
    assert_eq!(seen.take(), [0, 1, 2], "also where the client takes nothing");
}

#[test]
fn a_client_that_takes_nothing_is_not_read_without_end() {
    let (mut talk, _, _) = talk();
    talk.set_stuck(true);
    for id in 0..1000 {
        talk.ask(id, "tools/list", json!({}));
    }
    assert_eq!(talk.pipe.unread(), 800);
    talk.set_stuck(false);
    assert_eq!(talk.answered().len(), 1000, "all of it is answered in the end");
}

#[test]
fn lines_that_come_together_are_not_taken_without_end() {
    let most = Rc::new(Cell::new(0));
    let pipe = Rc::new(RefCell::new(None::<Rc<Pipe>>));
    let (seen, its_pipe, built) = (Rc::clone(&most), Rc::clone(&pipe), Cell::new(0));
    let mut talk = Talk::with(move || {
        // One server for each message.
        if let Some(pipe) = &*its_pipe.borrow() {
            built.set(built.get() + 1);
            seen.set(seen.get().max(built.get() - pipe.written()));
        }
        Server::new("counts", "1")
    });
    talk.settle();
    *pipe.borrow_mut() = Some(Rc::clone(&talk.pipe));
    talk.set_stuck(true);
    talk.send("x\n".repeat(1000).as_bytes());
    assert_eq!(most.get(), 200);
    talk.set_stuck(false);
    assert_eq!(talk.heard().len(), 1000, "all of them are answered in the end");
    assert_eq!(most.get(), 200);
}

#[test]
fn a_time_limit_is_one_for_each_request() {
    let mut talk = Talk::with(|| {
        let never = async |_: NoArguments| std::future::pending::<()>().await;
        let tool = Tool::new("never", never).description("x");
        Server::new("limited", "1").exchange_timeout(Duration::from_secs(30)).tool(tool)
    });
    talk.call(1, "never");
    talk.advance(Duration::from_secs(20));
    talk.call(2, "never");
    assert!(talk.heard().is_empty());
    talk.advance(Duration::from_secs(15));
    assert_eq!(talk.refusal(), (json!(1), -32603));
    talk.advance(Duration::from_secs(20));
    assert_eq!(talk.refusal(), (json!(2), -32603));
}

#[test]
fn deferred_work_has_its_limit_and_holds_up_nobody() {
    let mut talk = Talk::with(|| {
        let tool = Tool::with_context("leaves", async |_: NoArguments, context: Context| {
            context.defer(std::future::pending());
        });
        let server = Server::new("leaves", "1").defer_timeout(Duration::from_secs(3));
        server.tool(tool.description("x"))
    });
    talk.call(1, "leaves");
    talk.call(2, "leaves");
    assert_eq!(talk.answered(), [1, 2]);
    assert!(talk.log().is_empty());
    talk.advance(Duration::from_secs(4));
    assert_eq!(talk.log().len(), 2);
}

#[test]
fn a_panic_would_be_the_fault_of_whoever_runs() {
    let seen = Rc::new(RefCell::new(Vec::new()));
    let pipe = Rc::new(RefCell::new(None::<Rc<Pipe>>));
    let parts = (Rc::clone(&seen), Rc::clone(&pipe));
    let mut talk = Talk::with(move || {
        let (seen, pipe) = (Rc::clone(&parts.0), Rc::clone(&parts.1));
        let look = move || seen.borrow_mut().push(pipe.borrow().as_ref().unwrap().attributed());
        let handler = move |_: NoArguments, context: Context| {
            let (look, later) = (look.clone(), look.clone());
            async move {
                context.defer(async move { later() });
                look();
                futures_lite::future::yield_now().await;
                look();
            }
        };
        Server::new("blames", "1").tool(Tool::with_context("looks", handler).description("x"))
    });
    *pipe.borrow_mut() = Some(Rc::clone(&talk.pipe));
    talk.call("a", "looks");
    let attributed = seen.take();
    assert_eq!(attributed, [Some("a".to_owned()), Some("a".to_owned()), None]);
    assert_eq!(talk.pipe.attributed(), None);
}

#[test]
fn the_tool_of_a_message_outlives_it() {
    let (events, gate) = (Events::default(), Gate::default());
    let parts = (events.clone(), gate.clone());
    let mut talk = Talk::with(move || Server::new("w", "1").tool(waits(&parts.0, &parts.1)));
    talk.call(1, "waits");
    talk.call(2, "waits");
    gate.open();
    talk.settle();
    assert_eq!(talk.answered(), [1, 2]);
}
