//! The transport of tests: scripted input, recorded output, a failure at any operation.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::{Future, pending};
use std::ops::ControlFlow;
use std::rc::Rc;
use std::time::Duration;

use futures_lite::future::block_on;
use serde_json::{Value, json};

use crate::handler::context::Clock;
use crate::headers::map::Fields;
use crate::transport::http::transport::{ClientGone, Flow, ResponseHead, Transport};
use crate::transport::http::{Method, RequestHead, serve};
use crate::{Outcome, Server};

/// A request, and what the network does to it.
pub(super) struct Wire {
    pub(super) head: RequestHead,
    pieces: VecDeque<Vec<u8>>,
    /// The operation that fails, counted from 0, and with it all later ones or not.
    fail_at: Option<usize>,
    fail_once: bool,
    operations: usize,
    /// How many timers are over at once; later ones never are.
    timers: Rc<Cell<usize>>,
    /// The time of the timers that can be over at all; `None` for any.
    tick: Option<Duration>,
    waits: Rc<RefCell<Vec<Duration>>>,
    /// From this write on the client takes nothing.
    stuck_at: Option<usize>,
    seen: Seen,
}

/// What came out.
#[derive(Default)]
pub(super) struct Seen {
    pub(super) status: u16,
    pub(super) headers: Fields,
    pub(super) body: String,
    pub(super) writes: Vec<String>,
    pub(super) trailers: Option<Fields>,
    pub(super) finished: bool,
    pub(super) outcome: Outcome,
    pub(super) log: RefCell<Vec<String>>,
    /// The timers that were made.
    pub(super) waits: Vec<Duration>,
    /// The answer was let go of.
    pub(super) abandoned: bool,
    /// Operations that broke off.
    pub(super) failures: usize,
}

impl Wire {
    /// A POST to `/mcp` of a body, with the headers of a JSON client.
    pub(super) fn post(body: impl Into<Vec<u8>>) -> Self {
        let mut headers = Fields::default();
        headers.push("content-type", "application/json");
        headers.push("accept", "application/json, text/event-stream");
        Self {
            head: RequestHead {
                method: Method::Post,
                path: "/mcp".to_owned(),
                authority: Some("127.0.0.1:8080".to_owned()),
                headers,
            },
            pieces: VecDeque::from([body.into()]),
            fail_at: None,
            fail_once: false,
            operations: 0,
            timers: Rc::default(),
            tick: None,
            waits: Rc::default(),
            stuck_at: None,
            seen: Seen::default(),
        }
    }

    /// A request as a client of 2026-07-28 sends it.
    pub(super) fn modern(method: &str, params: Value) -> Self {
        let message = modern_message(method, params);
        let named = |key: &str| message["params"][key].as_str().map(str::to_owned);
        let name = named("name").or_else(|| named("uri"));
        let mut wire = Self::post(message.to_string())
            .header("mcp-protocol-version", "2026-07-28")
            .header("mcp-method", method);
        if let Some(name) = name {
            wire = wire.header("mcp-name", &name);
        }
        wire
    }

    /// A request as a client of an older version sends it.
    pub(super) fn legacy(version: &str, method: &str, params: Value) -> Self {
        let message = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        Self::post(message.to_string()).header("mcp-protocol-version", version)
    }

    pub(super) fn call(tool: &str, arguments: Value) -> Self {
        Self::modern("tools/call", json!({ "name": tool, "arguments": arguments }))
    }

    pub(super) fn header(mut self, name: &str, value: &str) -> Self {
        self.head.headers.push(name, value);
        self
    }

    pub(super) fn without(mut self, name: &str) -> Self {
        let pairs = std::mem::take(&mut self.head.headers).into_pairs();
        let others = pairs.into_iter().filter(|(other, _)| other != name).collect();
        self.head.headers = Fields::from_pairs(others);
        self
    }

    pub(super) fn set(self, name: &str, value: &str) -> Self {
        self.without(name).header(name, value)
    }

    pub(super) fn timers(self, over: usize) -> Self {
        self.timers.set(over);
        self
    }

    /// Has all timers of one time be over at once, and no others.
    pub(super) fn tick(mut self, time: Duration) -> Self {
        self.tick = Some(time);
        self.timers(usize::MAX)
    }

    pub(super) fn fail_at(mut self, operation: usize) -> Self {
        self.fail_at = Some(operation);
        self
    }

    /// Has the client stop reading at a write, the head being the first.
    pub(super) fn stuck_at(mut self, write: usize) -> Self {
        self.stuck_at = Some(write);
        self
    }

    /// Lets operations after the failed one succeed.
    pub(super) fn fail_once(mut self) -> Self {
        self.fail_once = true;
        self
    }

    /// Sends the body in pieces of a size.
    pub(super) fn in_pieces(mut self, size: usize) -> Self {
        let body: Vec<u8> = self.pieces.drain(..).flatten().collect();
        self.pieces = body.chunks(size).map(<[u8]>::to_vec).collect();
        self
    }

    pub(super) fn run(mut self, server: &Server) -> Seen {
        let head = RequestHead {
            method: self.head.method,
            path: self.head.path.clone(),
            authority: self.head.authority.clone(),
            headers: std::mem::take(&mut self.head.headers),
        };
        self.seen.outcome = block_on(serve(server, head, &mut self));
        self.seen.waits = self.waits.take();
        self.seen
    }

    async fn take_or_wait(&self) {
        if self.stuck_at.is_some_and(|at| self.seen.writes.len() >= at) {
            pending::<()>().await;
        }
    }

    fn operation(&mut self, is_read: bool) -> Flow {
        assert!(!self.seen.finished, "an operation after the end");
        let failures = self.seen.failures;
        assert!(failures == 0 || !is_read, "a read after a failure");
        let number = self.operations;
        self.operations += 1;
        let fails = |at| if self.fail_once { number == at } else { number >= at };
        if self.fail_at.is_some_and(fails) {
            self.seen.failures += 1;
            return ControlFlow::Break(ClientGone::new("stream closed\n   0: a backtrace"));
        }
        ControlFlow::Continue(())
    }
}

/// The versions before the modern one, the oldest first.
pub(super) const LEGACY: [&str; 3] = ["2025-03-26", "2025-06-18", "2025-11-25"];

/// A message of a modern client.
pub(super) fn modern_message(method: &str, mut params: Value) -> Value {
    if params["_meta"].is_null() {
        params["_meta"] = modern_meta();
    }
    json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params })
}

/// The metadata of a modern client that can do nothing.
pub(super) fn modern_meta() -> Value {
    json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
    })
}

impl Seen {
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", self.body))
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.texts(name).next()
    }

    /// The response: the body, or the last event of a stream.
    pub(super) fn response(&self) -> Value {
        match self.header("content-type") {
            Some("text/event-stream") => self.events().pop().unwrap(),
            _ => self.json(),
        }
    }

    /// The result, where there is one.
    #[track_caller]
    pub(super) fn result(&self) -> Value {
        let response = self.response();
        assert!(response["result"].is_object(), "no result: {}", self.body);
        response["result"].clone()
    }

    /// The HTTP status and the number of the error.
    #[track_caller]
    pub(super) fn refusal(&self) -> (u16, i64) {
        let response = self.response();
        let code = response["error"]["code"].as_i64();
        (self.status, code.unwrap_or_else(|| panic!("no error: {}", self.body)))
    }

    /// The messages of a stream, in order.
    pub(super) fn events(&self) -> Vec<Value> {
        let data = self.body.lines().filter_map(|line| line.strip_prefix("data: "));
        data.map(|json| serde_json::from_str(json).unwrap()).collect()
    }
}

impl Transport for Wire {
    async fn read(&mut self) -> Flow<Option<Vec<u8>>> {
        self.operation(true)?;
        Flow::Continue(self.pieces.pop_front().filter(|piece| !piece.is_empty()))
    }

    async fn start(&mut self, head: ResponseHead, first: &[u8]) -> Flow {
        self.operation(false)?;
        self.take_or_wait().await;
        assert_eq!(self.seen.status, 0, "two heads");
        self.seen.status = head.status.as_u16();
        self.seen.headers = head.headers;
        let first = std::str::from_utf8(first).unwrap();
        self.seen.body.push_str(first);
        self.seen.writes.push(first.to_owned());
        Flow::Continue(())
    }

    async fn write(&mut self, bytes: &[u8]) -> Flow {
        self.operation(false)?;
        self.take_or_wait().await;
        assert_ne!(self.seen.status, 0, "a body before its head");
        let bytes = std::str::from_utf8(bytes).unwrap();
        self.seen.body.push_str(bytes);
        self.seen.writes.push(bytes.to_owned());
        Flow::Continue(())
    }

    async fn finish(&mut self, trailers: Option<Fields>) -> Flow {
        self.operation(false)?;
        self.seen.trailers = trailers;
        self.seen.finished = true;
        Flow::Continue(())
    }

    fn abandon(&mut self) {
        self.seen.abandoned = true;
    }

    fn wait(&self, time: Duration) -> impl Future<Output = ()> + 'static {
        self.clock()(time)
    }

    fn clock(&self) -> Clock {
        let (timers, waits) = (Rc::clone(&self.timers), Rc::clone(&self.waits));
        let tick = self.tick;
        Rc::new(move |time| {
            waits.borrow_mut().push(time);
            let timers = Rc::clone(&timers);
            Box::pin(async move {
                match timers.get() {
                    0 => pending().await,
                    _ if tick.is_some_and(|tick| tick != time) => pending().await,
                    left => timers.set(left - 1),
                }
            })
        })
    }

    fn log(&self, line: &str) {
        self.seen.log.borrow_mut().push(line.to_owned());
    }
}
