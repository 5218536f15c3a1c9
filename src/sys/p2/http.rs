//! `wasi:http` 0.2: one call of `incoming-handler` is one exchange.

use std::cell::RefCell;
use std::future::{Future, pending};
use std::mem::ManuallyDrop;
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context as TaskContext, Waker};
use std::time::Duration;

use wasip2::http::types::{
    Fields as WasiFields, IncomingBody, IncomingRequest, Method as WasiMethod, OutgoingBody,
    OutgoingResponse, ResponseOutparam,
};
use wasip2::io::poll::Pollable;
use wasip2::io::streams::{InputStream, OutputStream, StreamError};

use crate::handler::context::Clock;
use crate::handler::panic_attribution::PanicAttribution;
use crate::headers::map::Fields;
use crate::server::Server;
use crate::sys::log::log;
use crate::sys::p2::io::{READ_SIZE, block_on, gone, sleep, wait_for};
use crate::sys::panic::{self, HttpResponder, Progress};
use crate::sys::wasi_http::fields_function;
use crate::transport::http::transport::{ClientGone, Flow, ResponseHead, Transport};
use crate::transport::http::{Method, RequestHead, serve_with_contexts};

/// Answers one exchange. Called by `export!`.
pub fn handle(build: fn() -> Server, request: IncomingRequest, response: ResponseOutparam) {
    let head = read_head(&request);
    run(build, head, RequestBody::Unread(request), response, false);
}

/// Bytes of a response that is returned at once; larger ones are streamed.
const MAX_BUFFERED: usize = 64 << 10;

/// An answer that is all there.
pub(super) type BufferedResponse = (ResponseHead, String);

/// Runs an exchange. Returns its response if it `returns_answer` and the response was buffered.
pub(super) fn run(
    build: fn() -> Server,
    head: RequestHead,
    body: RequestBody,
    response: ResponseOutparam,
    returns_answer: bool,
) -> Option<BufferedResponse> {
    let pending = Rc::new(RefCell::new(PendingResponse::new(State::Unsent(response))));
    panic::respond_with(Rc::<RefCell<PendingResponse>>::clone(&pending));
    let exchange = P2Transport { body, pending: Rc::clone(&pending), returns_answer };
    block_on(async move { run_exchange(build(), head, exchange).await });
    pending.borrow_mut().buffered.take()
}

/// Runs an exchange as far as it goes without a runtime and without waiting. One whose answer does
/// not leave by being returned, as a stream, waits for ever. A panic has its answer from whoever
/// runs the exchange again.
pub(super) fn attempt(
    build: fn() -> Server,
    head: RequestHead,
    body: Vec<u8>,
) -> Option<BufferedResponse> {
    let pending = Rc::new(RefCell::new(PendingResponse::new(State::Attempted)));
    let body = RequestBody::Buffered(Some(body));
    let exchange = P2Transport { body, pending: Rc::clone(&pending), returns_answer: true };
    let life = pin!(run_exchange(build(), head, exchange));
    let polled = life.poll(&mut TaskContext::from_waker(Waker::noop()));
    polled.is_ready().then(|| pending.borrow_mut().buffered.take()).flatten()
}

async fn run_exchange(server: Server, head: RequestHead, mut exchange: P2Transport) {
    // Neither is dropped: they are gone with the instance. What a handler holds was in its future,
    // and is dropped when that has come to its end, or is cut.
    let server = ManuallyDrop::new(server);
    let mut contexts = ManuallyDrop::new(Vec::new());
    serve_with_contexts(&server, head, &mut exchange, &mut contexts).await;
    if !exchange.returns_answer {
        // Another host may keep the instance.
        drop(ManuallyDrop::into_inner(contexts));
    }
}

fn read_head(request: &IncomingRequest) -> RequestHead {
    let method = match request.method() {
        WasiMethod::Post => Method::Post,
        WasiMethod::Options => Method::Options,
        _ => Method::Other,
    };
    let path = request.path_with_query().unwrap_or_default();
    let headers = Fields::from_pairs(request.headers().entries());
    RequestHead::new(method, path, headers, || request.authority())
}

/// The two sides of an exchange.
struct P2Transport {
    body: RequestBody,
    pending: Rc<RefCell<PendingResponse>>,
    /// Whether an answer that is all there is returned at the end of the exchange.
    returns_answer: bool,
}

/// The request's body. The stream is a child of the body, and goes first.
pub(super) enum RequestBody {
    Unread(IncomingRequest),
    Reading {
        stream: InputStream,
        _body: IncomingBody,
    },
    /// All of it, until it is taken.
    Buffered(Option<Vec<u8>>),
    Gone,
}

impl RequestBody {
    fn stream(&mut self) -> Flow<&InputStream> {
        if let RequestBody::Unread(request) = self {
            let body = request.consume().and_then(|body| Ok((body.stream()?, body)));
            *self = match body {
                Ok((stream, _body)) => RequestBody::Reading { stream, _body },
                Err(()) => RequestBody::Gone,
            };
        }
        match self {
            RequestBody::Reading { stream, .. } => Flow::Continue(stream),
            _ => Flow::Break(ClientGone::new("the host gave no request body")),
        }
    }
}

impl Transport for P2Transport {
    async fn read(&mut self) -> Flow<Option<Vec<u8>>> {
        if let RequestBody::Buffered(body) = &mut self.body {
            return Flow::Continue(body.take().filter(|body| !body.is_empty()));
        }
        let stream = self.body.stream()?;
        loop {
            match stream.read(READ_SIZE) {
                Ok(piece) if piece.is_empty() => wait_for(stream.subscribe()).await,
                Ok(piece) => return Flow::Continue(Some(piece)),
                Err(StreamError::Closed) => return Flow::Continue(None),
                // Whatever the error says: a body that does not end as it should has no sender.
                Err(error) => return Flow::Break(gone(error)),
            }
        }
    }

    async fn start(&mut self, head: ResponseHead, first: &[u8]) -> Flow {
        if matches!(self.pending.borrow().state, State::Attempted) {
            pending::<()>().await;
        }
        let rest = self.pending.borrow_mut().start(head, first)?;
        self.write_rest(&first[rest..]).await
    }

    async fn write(&mut self, bytes: &[u8]) -> Flow {
        self.write_rest(bytes).await?;
        self.pending.borrow_mut().flush()
    }

    async fn finish(&mut self, trailers: Option<Fields>) -> Flow {
        self.pending.borrow_mut().finish(trailers)
    }

    async fn send(&mut self, head: ResponseHead, body: String) -> Flow {
        let is_small = body.len() <= MAX_BUFFERED;
        self.pending.borrow_mut().buffered = Some((head, body));
        if is_small { Flow::Continue(()) } else { self.release(false).await }
    }

    async fn release(&mut self, nothing_left: bool) -> Flow {
        if nothing_left && self.returns_answer {
            return Flow::Continue(());
        }
        let buffered = self.pending.borrow_mut().buffered.take();
        let Some((head, body)) = buffered else { return Flow::Continue(()) };
        self.start(head.with_length(body.len()), body.as_bytes()).await?;
        self.finish(None).await
    }

    fn abandon(&mut self) {
        self.pending.borrow_mut().abandon();
    }

    fn wait(&self, time: Duration) -> impl Future<Output = ()> + 'static {
        sleep(time)
    }

    fn clock(&self) -> Clock {
        Rc::new(|time| Box::pin(sleep(time)))
    }

    fn panic_attribution(&self) -> PanicAttribution {
        self.pending.borrow().attribution.clone()
    }

    fn log(&self, line: &str) {
        log(line);
    }
}

impl P2Transport {
    /// Writes as much as the host takes at a time, without ever blocking the handler's thread.
    async fn write_rest(&self, mut bytes: &[u8]) -> Flow {
        while !bytes.is_empty() {
            let written = self.pending.borrow_mut().write(bytes)?;
            bytes = &bytes[written..];
            if written == 0 {
                let ready = self.pending.borrow().subscribe()?;
                wait_for(ready).await;
            }
        }
        Flow::Continue(())
    }
}

/// What is left to answer. Shared with the panic hook, which answers in a handler's place.
struct PendingResponse {
    state: State,
    /// An answer that is all there, until it leaves.
    buffered: Option<BufferedResponse>,
    attribution: PanicAttribution,
}

/// The stream is a child of the body, and goes first.
enum State {
    /// There is nowhere to send it.
    Attempted,
    Unsent(ResponseOutparam),
    Sending {
        stream: OutputStream,
        body: OutgoingBody,
    },
    Over,
}

impl PendingResponse {
    fn new(state: State) -> Self {
        Self { state, buffered: None, attribution: PanicAttribution::default() }
    }

    /// Sends the head, and as many of the first bytes as the host takes at once. They are written
    /// before the head is handed over, so that both can leave in one packet.
    fn start(&mut self, head: ResponseHead, first: &[u8]) -> Flow<usize> {
        let State::Unsent(outparam) = std::mem::replace(&mut self.state, State::Over) else {
            return Flow::Break(ClientGone::new("the answer had started"));
        };
        let response = OutgoingResponse::new(to_wasi(head.headers));
        let status = head.status.as_u16();
        if status != 200 && response.set_status_code(status).is_err() {
            return Flow::Break(ClientGone::new("the host refused the status"));
        }
        let body = response.body().and_then(|body| Ok((body.write()?, body)));
        let Ok((stream, body)) = body else {
            return Flow::Break(ClientGone::new("the host gave no response body"));
        };
        self.state = State::Sending { stream, body };
        let written = if first.is_empty() { Flow::Continue(0) } else { self.write(first) };
        ResponseOutparam::set(outparam, Ok(response));
        written
    }

    /// Writes what the host takes now, and says how much that was.
    fn write(&mut self, bytes: &[u8]) -> Flow<usize> {
        let stream = self.stream()?;
        let result = stream.check_write().and_then(|allowed| {
            let allowed = usize::try_from(allowed).unwrap_or(usize::MAX);
            let now = &bytes[..allowed.min(bytes.len())];
            if !now.is_empty() {
                stream.write(now)?;
            }
            Ok(now.len())
        });
        self.or_over(result)
    }

    /// Writes everything, blocking: for the last words of a guest that is about to trap.
    fn write_blocking(&mut self, bytes: &[u8]) -> Flow {
        // More than 4096 bytes at a time would trap.
        for piece in bytes.chunks(4096) {
            let result = self.stream()?.blocking_write_and_flush(piece);
            self.or_over(result)?;
        }
        Flow::Continue(())
    }

    fn flush(&mut self) -> Flow {
        let result = self.stream()?.flush();
        self.or_over(result)
    }

    /// A stream that has broken is let go of: nothing can be written to it by mistake.
    fn or_over<T>(&mut self, result: Result<T, StreamError>) -> Flow<T> {
        match result {
            Ok(value) => Flow::Continue(value),
            Err(error) => {
                let gone = gone(error);
                self.state = State::Over;
                Flow::Break(gone)
            }
        }
    }

    fn abandon(&mut self) {
        self.state = State::Over;
    }

    fn subscribe(&self) -> Flow<Pollable> {
        Flow::Continue(self.stream()?.subscribe())
    }

    fn stream(&self) -> Flow<&OutputStream> {
        match &self.state {
            State::Sending { stream, .. } => Flow::Continue(stream),
            _ => Flow::Break(ClientGone::new("the answer is over")),
        }
    }

    fn finish(&mut self, trailers: Option<Fields>) -> Flow {
        let State::Sending { stream, body } = std::mem::replace(&mut self.state, State::Over)
        else {
            return Flow::Break(ClientGone::new("the answer is over"));
        };
        drop(stream);
        let has_trailers = trailers.is_some();
        match OutgoingBody::finish(body, trailers.map(to_wasi)) {
            Ok(()) => Flow::Continue(()),
            // Where trailers are not known, as by jco, they are refused and the body ends all the
            // same. That a client is gone is said by writes, not here.
            Err(_) if has_trailers => Flow::Continue(()),
            // The error's own words would link the text of every error that HTTP can have.
            Err(_) => Flow::Break(ClientGone::new("the response body could not be finished")),
        }
    }
}

impl HttpResponder for PendingResponse {
    fn progress(&self) -> Progress {
        match self.state {
            State::Unsent(_) => Progress::Unsent,
            State::Sending { .. } => Progress::Sending,
            State::Attempted | State::Over => Progress::Over,
        }
    }

    fn attribution(&self) -> &PanicAttribution {
        &self.attribution
    }

    fn send_now(&mut self, head: ResponseHead, body: &[u8]) {
        if let Flow::Continue(written) = self.start(head, body) {
            self.end_now(&body[written..]);
        }
    }

    fn end_now(&mut self, last: &[u8]) {
        let _ = self.write_blocking(last);
        let _ = self.finish(None);
    }
}

fields_function!(WasiFields);
