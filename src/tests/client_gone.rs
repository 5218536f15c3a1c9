//! A client that goes away is an ordinary outcome, wherever it happens.

use std::cell::Cell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context as TaskContext, Poll};

use serde_json::json;

use super::wire::{Wire, modern_meta};
use crate::{Context, NoArguments, Outcome, Server, Tool};

/// Counts handlers that live, and what they left for afterwards.
#[derive(Clone, Default)]
struct Life {
    alive: Rc<Cell<i32>>,
    deferred: Rc<Cell<i32>>,
    completed: Rc<Cell<i32>>,
}

struct Guard(Rc<Cell<i32>>);

impl Guard {
    fn new(counter: &Rc<Cell<i32>>) -> Self {
        counter.set(counter.get() + 1);
        Self(Rc::clone(counter))
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

fn server(life: &Life) -> Server {
    let tool = |name: &'static str, steps: u32| {
        let life = life.clone();
        Tool::with_context(name, move |_: NoArguments, context: Context| {
            let life = life.clone();
            async move {
                let _guard = Guard::new(&life.alive);
                let deferred = Rc::clone(&life.deferred);
                context.defer(async move { deferred.set(deferred.get() + 1) });
                for step in 0..steps {
                    context.progress(f64::from(step)).await;
                }
                life.completed.set(life.completed.get() + 1);
                "done"
            }
        })
        .description("x")
    };
    Server::new("gone", "1")
        .tool(tool("json", 0))
        .tool(tool("streams", 4))
        .tool(tool("early", 0).early_stream())
        .tool(tool("stubborn", 4).run_to_completion())
}

fn request(kind: &str) -> Wire {
    let wire = match kind {
        "error" => Wire::modern("unknown", json!({})),
        "notification" => Wire::post(r#"{"jsonrpc":"2.0","method":"notifications/x"}"#),
        "batch" => Wire::post(
            r#"[{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"json"}},
                {"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"streams","_meta":{"progressToken":1}}}]"#,
        ),
        tool => {
            let mut params = json!({ "name": tool, "_meta": modern_meta() });
            params["_meta"]["progressToken"] = json!(1);
            Wire::modern("tools/call", params)
        }
    };
    wire.in_pieces(40)
}

const KINDS: [&str; 7] = ["json", "streams", "early", "stubborn", "error", "notification", "batch"];

#[test]
fn every_operation_may_fail_and_nothing_else_happens() {
    for kind in KINDS {
        let mut failures = 0;
        for operation in 0.. {
            let life = Life::default();
            let seen = request(kind).fail_at(operation).run(&server(&life));
            assert_eq!(life.alive.get(), 0, "{kind} {operation}: the handler is dropped");
            if seen.failures == 0 {
                assert!(seen.finished, "{kind} {operation}");
                assert_ne!(seen.outcome, Outcome::ClientGone, "{kind} {operation}");
                break;
            }
            failures += 1;
            assert_eq!(seen.outcome, Outcome::ClientGone, "{kind} {operation}");
            let log = seen.log.into_inner();
            assert_eq!(log, ["midge: client-gone: stream closed"], "{kind} {operation}: one line");
            // A body that ends too soon gets an answer that may fail as well; then nothing more.
            assert!(seen.failures <= 2, "{kind} {operation}: {} failures", seen.failures);
        }
        assert!(failures >= 4, "{kind}: reads, head and end can fail");
    }
}

#[test]
fn a_body_that_ends_too_soon_is_answered_once() {
    let life = Life::default();
    // Only the read fails: the client has closed its sending side and still listens.
    let seen = request("json").fail_at(1).fail_once().run(&server(&life));
    assert_eq!((seen.status, seen.outcome), (400, Outcome::ClientGone));
    assert_eq!(seen.json()["error"]["message"], "Invalid request: the body ended too soon");
    assert!(seen.json().get("id").is_none());
    assert_eq!(life.completed.get(), 0, "nothing ran");
}

#[test]
fn deferred_work_runs_after_an_answer_and_after_an_abort() {
    let life = Life::default();
    request("streams").run(&server(&life));
    assert_eq!((life.completed.get(), life.deferred.get()), (1, 1));
    let reads = (0..).find(|at| request("streams").fail_at(*at).run(&server(&life)).status != 0);
    let after_head = reads.unwrap();
    let life = Life::default();
    request("streams").fail_at(after_head).run(&server(&life));
    assert_eq!((life.completed.get(), life.deferred.get()), (0, 1), "cut, then deferred");
}

#[test]
fn a_tool_that_runs_to_completion_does() {
    let life = Life::default();
    let seen = request("stubborn").run(&server(&life));
    assert_eq!(seen.header("midge-run-to-completion"), Some("1"), "the host is told");
    assert_eq!(seen.writes[0], ": keep-alive\n\n", "at once");
    for operation in 0.. {
        let life = Life::default();
        let seen = request("stubborn").fail_at(operation).run(&server(&life));
        if seen.failures == 0 {
            break;
        }
        if seen.status != 0 {
            assert_eq!(life.completed.get(), 1, "{operation}");
        }
    }
}

/// A future that holds something until it is dropped, also when it has come to its end.
struct Holds {
    _guard: Guard,
}

impl Future for Holds {
    type Output = &'static str;

    fn poll(self: Pin<&mut Self>, _: &mut TaskContext<'_>) -> Poll<&'static str> {
        Poll::Ready("done")
    }
}

#[test]
fn what_a_handler_holds_is_dropped_before_its_deferred_work_runs() {
    let life = Life::default();
    let Life { alive, deferred, .. } = life.clone();
    let handler = move |_: NoArguments, context: Context| {
        let (alive, deferred) = (Rc::clone(&alive), Rc::clone(&deferred));
        let holds = Holds { _guard: Guard::new(&alive) };
        context.defer(async move { deferred.set(alive.get()) });
        holds
    };
    life.deferred.set(-1);
    let server =
        Server::new("holds", "1").tool(Tool::with_context("holds", handler).description("x"));
    let done = request("holds").run(&server);
    assert_eq!(done.outcome, Outcome::Ok);
    assert_eq!(life.deferred.get(), 0, "nothing was alive");
}

#[test]
fn deferred_work_is_bounded() {
    let server = Server::new("gone", "1").tool(
        Tool::with_context("t", async |_: NoArguments, context: Context| {
            context.defer(std::future::pending());
        })
        .description("x"),
    );
    let seen = Wire::call("t", json!({})).timers(1).run(&server);
    assert_eq!(seen.outcome, Outcome::Ok);
    assert_eq!(
        seen.log.into_inner(),
        ["midge: deferred work was cut: it took longer than the server's limit"]
    );
}

#[test]
fn deferred_work_knows_that_the_client_is_gone_and_waits_for_nobody() {
    let cancelled = Rc::new(Cell::new(None));
    let seen_by = Rc::clone(&cancelled);
    let server = Server::new("gone", "1").tool(
        Tool::with_context("t", move |_: NoArguments, context: Context| {
            let (seen_by, later) = (Rc::clone(&seen_by), context.clone());
            async move {
                context.defer(async move {
                    later.progress(2.0).await;
                    seen_by.set(Some(later.is_cancelled()));
                });
                "done"
            }
        })
        .description("x"),
    );
    let wire = || {
        let mut params = json!({ "name": "t", "_meta": modern_meta() });
        params["_meta"]["progressToken"] = json!(1);
        Wire::modern("tools/call", params)
    };
    wire().run(&server);
    assert_eq!(cancelled.take(), Some(false), "answered");
    // The body is read in two operations; the third sends the answer, the fourth ends it.
    for operation in [2, 3] {
        wire().fail_at(operation).run(&server);
        assert_eq!(cancelled.take(), Some(true), "operation {operation}");
    }
}

#[test]
fn a_batch_with_a_tool_that_runs_to_completion_says_so_in_its_head() {
    let batch = r#"[{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"streams","_meta":{"progressToken":1}}},
        {"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"stubborn"}}]"#;
    let seen = Wire::post(batch).run(&server(&Life::default()));
    assert_eq!(seen.header("midge-run-to-completion"), Some("1"));
}
