//! A connection in memory: a client that a test has say things, a clock that it advances.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::ops::ControlFlow;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context as TaskContext, Poll, Wake, Waker};
use std::time::Duration;

use serde_json::{Value, json};

use crate::Server;
use crate::handler::context::Clock;
use crate::handler::disconnect::{ClientGone, Flow};
use crate::handler::outbox::Outbox;
use crate::handler::panic_attribution::PanicAttribution;
use crate::tests::wire::modern_message;
use crate::transport::stdio::{Streams, serve};

/// A connection at work.
pub(super) struct Talk {
    pub(super) pipe: Rc<Pipe>,
    serving: Option<Pin<Box<dyn Future<Output = ()>>>>,
    woken: Arc<Woken>,
}

/// The client's ends of the streams.
#[derive(Default)]
pub(super) struct Pipe {
    input: RefCell<VecDeque<Vec<u8>>>,
    ended: Cell<bool>,
    broken: Cell<bool>,
    output: RefCell<String>,
    line: RefCell<Option<String>>,
    /// How many more lines the client takes before its end is closed.
    takes: Cell<Option<usize>>,
    /// The client takes nothing, and its end is open.
    stuck: Cell<bool>,
    failures: Cell<usize>,
    now: Cell<Duration>,
    attribution: PanicAttribution,
    outbox: Outbox,
    log: RefCell<Vec<String>>,
}

struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Talk {
    pub(super) fn with(build: impl Fn() -> Server + 'static) -> Self {
        let pipe = Rc::<Pipe>::default();
        let streams = Rc::clone(&pipe);
        let serving = Box::pin(serve(Rc::new(build), streams));
        Self { pipe, serving: Some(serving), woken: Arc::new(Woken(AtomicBool::new(true))) }
    }

    /// Sends bytes, and lets the server do what it can.
    pub(super) fn send(&mut self, bytes: &[u8]) {
        self.pipe.input.borrow_mut().push_back(bytes.to_vec());
        self.settle();
    }

    /// Sends a message on a line of its own.
    pub(super) fn say(&mut self, message: &Value) {
        self.send(format!("{message}\n").as_bytes());
    }

    /// Sends a modern request.
    pub(super) fn ask(&mut self, id: impl Into<Value>, method: &str, params: Value) {
        let mut message = modern_message(method, params);
        message["id"] = id.into();
        self.say(&message);
    }

    /// Sends a modern call of a tool without arguments.
    pub(super) fn call(&mut self, id: impl Into<Value>, tool: &str) {
        self.ask(id, "tools/call", json!({ "name": tool }));
    }

    /// Sends a legacy request.
    pub(super) fn ask_legacy(&mut self, id: impl Into<Value>, method: &str, params: Value) {
        let id = id.into();
        self.say(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }));
    }

    /// Shakes hands as a legacy client does, and gives the answer.
    pub(super) fn initialize(&mut self, version: &str) -> Value {
        let client = json!({ "name": "test", "version": "1" });
        let params =
            json!({ "protocolVersion": version, "capabilities": {}, "clientInfo": client });
        self.ask_legacy("hello", "initialize", params);
        self.say(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }));
        self.heard_one()["result"].clone()
    }

    pub(super) fn cancel(&mut self, id: impl Into<Value>) {
        let params = json!({ "requestId": id.into(), "reason": "the user has changed their mind" });
        let method = "notifications/cancelled";
        self.say(&json!({ "jsonrpc": "2.0", "method": method, "params": params }));
    }

    /// Ends the input, as a client does that closes it.
    pub(super) fn end_input(&mut self) {
        self.pipe.ended.set(true);
        self.settle();
    }

    /// Has the next read fail.
    pub(super) fn break_input(&mut self) {
        self.pipe.broken.set(true);
        self.settle();
    }

    /// Has the client take so many more lines, and close its end at the next one.
    pub(super) fn close_output_after(&self, lines: usize) {
        self.pipe.takes.set(Some(lines));
    }

    /// Has the client take nothing, or something again.
    pub(super) fn set_stuck(&mut self, stuck: bool) {
        self.pipe.stuck.set(stuck);
        self.settle();
    }

    pub(super) fn advance(&mut self, time: Duration) {
        self.pipe.now.set(self.pipe.now.get() + time);
        self.settle();
    }

    /// Lets the server go on until it waits for something else than itself.
    pub(super) fn settle(&mut self) {
        self.woken.0.store(true, Ordering::Relaxed);
        let waker = Waker::from(Arc::clone(&self.woken));
        let mut polls = 0;
        while let Some(serving) = &mut self.serving
            && self.woken.0.swap(false, Ordering::Relaxed)
        {
            polls += 1;
            assert!(polls < 10_000, "the server wakes itself for ever");
            if serving.as_mut().poll(&mut TaskContext::from_waker(&waker)).is_ready() {
                self.serving = None;
            }
        }
    }

    pub(super) fn is_over(&self) -> bool {
        self.serving.is_none()
    }

    /// What was written since the last look.
    pub(super) fn heard(&mut self) -> Vec<Value> {
        let text = self.pipe.output.take();
        assert!(text.is_empty() || text.ends_with('\n'), "not a whole line: {text}");
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[track_caller]
    pub(super) fn heard_one(&mut self) -> Value {
        let heard = self.heard();
        assert_eq!(heard.len(), 1, "{heard:?}");
        heard.into_iter().next().unwrap()
    }

    /// The ids of what was answered since the last look, in order.
    pub(super) fn answered(&mut self) -> Vec<Value> {
        self.heard().iter().filter_map(|message| message.get("id").cloned()).collect()
    }

    /// The number of the error, of the one message that was written.
    #[track_caller]
    pub(super) fn refusal(&mut self) -> (Value, i64) {
        let message = self.heard_one();
        let code = message["error"]["code"].as_i64();
        (message["id"].clone(), code.unwrap_or_else(|| panic!("no error: {message}")))
    }

    pub(super) fn log(&self) -> Vec<String> {
        self.pipe.log.take()
    }
}

impl Pipe {
    /// Pieces that wait to be read.
    pub(super) fn unread(&self) -> usize {
        self.input.borrow().len()
    }

    /// Lines that were written since the last look.
    pub(super) fn written(&self) -> usize {
        self.output.borrow().lines().count()
    }

    /// Lines that were written since the last look, or would be if a handler panicked now.
    pub(super) fn on_its_way(&self) -> usize {
        self.written() + usize::from(self.line.borrow().is_some()) + self.outbox.len()
    }

    /// Whose fault a panic would be now.
    pub(super) fn attributed(&self) -> Option<String> {
        self.attribution.get().as_ref().map(ToString::to_string)
    }

    fn operation(&self) {
        assert_eq!(self.failures.get(), 0, "an operation after one broke off");
    }

    fn fail<T>(&self) -> Flow<T> {
        self.failures.set(self.failures.get() + 1);
        ControlFlow::Break(ClientGone::new("stream closed\n   0: a backtrace"))
    }
}

impl Streams for Rc<Pipe> {
    fn poll_read(&self, _: &mut TaskContext<'_>) -> Poll<Flow<Option<Vec<u8>>>> {
        self.operation();
        if let Some(piece) = self.input.borrow_mut().pop_front() {
            return Poll::Ready(Flow::Continue(Some(piece)));
        }
        match (self.broken.get(), self.ended.get()) {
            (true, _) => Poll::Ready(self.fail()),
            (_, true) => Poll::Ready(Flow::Continue(None)),
            _ => Poll::Pending,
        }
    }

    fn begin_line(&self, line: &str) {
        self.operation();
        assert!(self.line.borrow().is_none(), "in the middle of a line");
        assert!(!line.contains(['\r', '\n']), "one line: {line}");
        *self.line.borrow_mut() = Some(format!("{line}\n"));
    }

    fn poll_write(&self, _: &mut TaskContext<'_>) -> Poll<Flow> {
        self.operation();
        if self.stuck.get() {
            return Poll::Pending;
        }
        match self.takes.get() {
            Some(0) => return Poll::Ready(self.fail()),
            takes => self.takes.set(takes.map(|takes| takes - 1)),
        }
        let line = self.line.take().unwrap();
        self.output.borrow_mut().push_str(&line);
        Poll::Ready(Flow::Continue(()))
    }

    fn outbox(&self) -> &Outbox {
        &self.outbox
    }

    fn clock(&self) -> Clock {
        let pipe = Rc::clone(self);
        Rc::new(move |time| {
            let (pipe, end) = (Rc::clone(&pipe), pipe.now.get() + time);
            Box::pin(poll_fn(
                move |_| {
                    if pipe.now.get() >= end { Poll::Ready(()) } else { Poll::Pending }
                },
            ))
        })
    }

    fn panic_attribution(&self) -> &PanicAttribution {
        &self.attribution
    }

    fn log(&self, line: &str) {
        self.log.borrow_mut().push(line.to_owned());
    }
}

/// Something that happens when a test says so.
#[derive(Clone, Default)]
pub(super) struct Gate(Rc<Cell<bool>>);

impl Gate {
    pub(super) fn open(&self) {
        self.0.set(true);
    }

    pub(super) async fn opened(&self) {
        poll_fn(|_| if self.0.get() { Poll::Ready(()) } else { Poll::Pending }).await;
    }
}

/// A list of what has happened, in order.
#[derive(Clone, Default)]
pub(super) struct Events(Rc<RefCell<Vec<String>>>);

impl Events {
    pub(super) fn add(&self, event: impl Into<String>) {
        self.0.borrow_mut().push(event.into());
    }

    /// What has happened since the last look.
    pub(super) fn take(&self) -> Vec<String> {
        self.0.take()
    }

    /// Something that happens when this is dropped.
    pub(super) fn on_drop(&self, event: &str) -> OnDrop {
        OnDrop(self.clone(), event.to_owned())
    }
}

pub(super) struct OnDrop(Events, String);

impl Drop for OnDrop {
    fn drop(&mut self) {
        self.0.add(self.1.clone());
    }
}
