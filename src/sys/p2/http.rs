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

use crate::error::ProtocolError;
use crate::handler::context::Clock;
use crate::handler::panic_attribution::Blame;
use crate::headers::map::Fields;
use crate::rpc::response::Response;
use crate::server::Server;
use crate::sys::log::log;
use crate::sys::p2::io::{READ_SIZE, block_on, gone, sleep, wait_for};
use crate::sys::panic::{self, LastWords};
use crate::transport::http::transport::{ClientGone, Io, ResponseHead, Transport};
use crate::transport::http::{Method, RequestHead, event, reply_to, serve_leaving};

/// Answers one exchange. Called by `export!`.
pub fn handle(build: fn() -> Server, request: IncomingRequest, response: ResponseOutparam) {
    let head = read_head(&request);
    run(build, head, Body::Unread(request), response, false);
}

/// The most of an answer that is kept; what is larger goes as fast as its client takes it.
const MAX_KEPT: usize = 64 << 10;

/// An answer that is all there.
pub(super) type Kept = (ResponseHead, String);

/// Runs an exchange, and gives its answer where that `returns_answer` and it was kept.
pub(super) fn run(
    build: fn() -> Server,
    head: RequestHead,
    body: Body,
    response: ResponseOutparam,
    returns_answer: bool,
) -> Option<Kept> {
    let answer = Rc::new(RefCell::new(PendingAnswer::new(State::Unsent(response))));
    panic::answer_with(Rc::<RefCell<PendingAnswer>>::clone(&answer));
    let exchange = Exchange { body, answer: Rc::clone(&answer), returns_answer };
    block_on(async move { live(build(), head, exchange).await });
    answer.borrow_mut().kept.take()
}

/// Runs an exchange as far as it goes without a runtime and without waiting. One whose answer does
/// not leave by being returned, as a stream, waits for ever. A panic has its answer from whoever
/// runs the exchange again.
pub(super) fn attempt(build: fn() -> Server, head: RequestHead, body: Vec<u8>) -> Option<Kept> {
    let answer = Rc::new(RefCell::new(PendingAnswer::new(State::Attempted)));
    let body = Body::Whole(Some(body));
    let exchange = Exchange { body, answer: Rc::clone(&answer), returns_answer: true };
    let life = pin!(live(build(), head, exchange));
    let polled = life.poll(&mut TaskContext::from_waker(Waker::noop()));
    polled.is_ready().then(|| answer.borrow_mut().kept.take()).flatten()
}

async fn live(server: Server, head: RequestHead, mut exchange: Exchange) {
    // Neither is dropped: they are gone with the instance. What a handler holds was in its future,
    // and is dropped when that has come to its end, or is cut.
    let server = ManuallyDrop::new(server);
    let mut contexts = ManuallyDrop::new(Vec::new());
    serve_leaving(&server, head, &mut exchange, &mut contexts).await;
    if !exchange.returns_answer {
        // Another host may keep the instance.
        drop(ManuallyDrop::into_inner(contexts));
    }
}

fn read_head(request: &IncomingRequest) -> RequestHead {
    let mut path = request.path_with_query().unwrap_or_default();
    path.truncate(path.find('?').unwrap_or(path.len()));
    let headers = Fields::from_pairs(request.headers().entries());
    RequestHead {
        method: match request.method() {
            WasiMethod::Post => Method::Post,
            WasiMethod::Options => Method::Options,
            _ => Method::Other,
        },
        path,
        // Of use beside an origin only, which clients that are no browsers do not send.
        authority: headers.contains("origin").then(|| request.authority()).flatten(),
        headers,
    }
}

/// The two sides of an exchange.
struct Exchange {
    body: Body,
    answer: Rc<RefCell<PendingAnswer>>,
    /// Whether an answer that is all there is returned at the end of the exchange.
    returns_answer: bool,
}

/// The request's body. The stream is a child of the body, and goes first.
pub(super) enum Body {
    Unread(IncomingRequest),
    Reading {
        stream: InputStream,
        _body: IncomingBody,
    },
    /// All of it, until it is taken.
    Whole(Option<Vec<u8>>),
    Gone,
}

impl Body {
    fn stream(&mut self) -> Io<&InputStream> {
        if let Body::Unread(request) = self {
            let body = request.consume().and_then(|body| Ok((body.stream()?, body)));
            *self = match body {
                Ok((stream, _body)) => Body::Reading { stream, _body },
                Err(()) => Body::Gone,
            };
        }
        match self {
            Body::Reading { stream, .. } => Io::Continue(stream),
            _ => Io::Break(ClientGone::new("the host gave no request body")),
        }
    }
}

impl Transport for Exchange {
    async fn read(&mut self) -> Io<Option<Vec<u8>>> {
        if let Body::Whole(body) = &mut self.body {
            return Io::Continue(body.take().filter(|body| !body.is_empty()));
        }
        let stream = self.body.stream()?;
        loop {
            match stream.read(READ_SIZE) {
                Ok(piece) if piece.is_empty() => wait_for(stream.subscribe()).await,
                Ok(piece) => return Io::Continue(Some(piece)),
                Err(StreamError::Closed) => return Io::Continue(None),
                // Whatever the error says: a body that does not end as it should has no sender.
                Err(error) => return Io::Break(gone(error)),
            }
        }
    }

    async fn start(&mut self, head: ResponseHead, first: &[u8]) -> Io {
        if matches!(self.answer.borrow().state, State::Attempted) {
            pending::<()>().await;
        }
        let rest = self.answer.borrow_mut().start(head, first)?;
        self.write_rest(&first[rest..]).await
    }

    async fn write(&mut self, bytes: &[u8]) -> Io {
        self.write_rest(bytes).await?;
        self.answer.borrow_mut().flush()
    }

    async fn finish(&mut self, trailers: Option<Fields>) -> Io {
        self.answer.borrow_mut().finish(trailers)
    }

    async fn send(&mut self, head: ResponseHead, body: String) -> Io {
        let is_small = body.len() <= MAX_KEPT;
        self.answer.borrow_mut().kept = Some((head, body));
        if is_small { Io::Continue(()) } else { self.release(false).await }
    }

    async fn release(&mut self, nothing_left: bool) -> Io {
        if nothing_left && self.returns_answer {
            return Io::Continue(());
        }
        let kept = self.answer.borrow_mut().kept.take();
        let Some((head, body)) = kept else { return Io::Continue(()) };
        self.start(head.with_length(body.len()), body.as_bytes()).await?;
        self.finish(None).await
    }

    fn abandon(&mut self) {
        self.answer.borrow_mut().abandon();
    }

    fn wait(&self, time: Duration) -> impl Future<Output = ()> + 'static {
        sleep(time)
    }

    fn clock(&self) -> Clock {
        Rc::new(|time| Box::pin(sleep(time)))
    }

    fn blame(&self) -> Blame {
        self.answer.borrow().blame.clone()
    }

    fn log(&self, line: &str) {
        log(line);
    }
}

impl Exchange {
    /// Writes as much as the host takes at a time, without ever blocking the handler's thread.
    async fn write_rest(&self, mut bytes: &[u8]) -> Io {
        while !bytes.is_empty() {
            let written = self.answer.borrow_mut().write(bytes)?;
            bytes = &bytes[written..];
            if written == 0 {
                let ready = self.answer.borrow().subscribe()?;
                wait_for(ready).await;
            }
        }
        Io::Continue(())
    }
}

/// What is left to answer. Shared with the panic hook, which answers in a handler's place.
struct PendingAnswer {
    state: State,
    /// An answer that is all there, until it leaves.
    kept: Option<Kept>,
    blame: Blame,
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

impl PendingAnswer {
    fn new(state: State) -> Self {
        Self { state, kept: None, blame: Blame::default() }
    }

    /// Sends the head, and as many of the first bytes as the host takes at once. They are written
    /// before the head is handed over, so that both can leave in one packet.
    fn start(&mut self, head: ResponseHead, first: &[u8]) -> Io<usize> {
        let State::Unsent(outparam) = std::mem::replace(&mut self.state, State::Over) else {
            return Io::Break(ClientGone::new("the answer had started"));
        };
        let response = OutgoingResponse::new(to_wasi(head.headers));
        let status = head.status.as_u16();
        if status != 200 && response.set_status_code(status).is_err() {
            return Io::Break(ClientGone::new("the host refused the status"));
        }
        let body = response.body().and_then(|body| Ok((body.write()?, body)));
        let Ok((stream, body)) = body else {
            return Io::Break(ClientGone::new("the host gave no response body"));
        };
        self.state = State::Sending { stream, body };
        let written = if first.is_empty() { Io::Continue(0) } else { self.write(first) };
        ResponseOutparam::set(outparam, Ok(response));
        written
    }

    /// Writes what the host takes now, and says how much that was.
    fn write(&mut self, bytes: &[u8]) -> Io<usize> {
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
    fn write_blocking(&mut self, bytes: &[u8]) -> Io {
        // More than 4096 bytes at a time would trap.
        for piece in bytes.chunks(4096) {
            let result = self.stream()?.blocking_write_and_flush(piece);
            self.or_over(result)?;
        }
        Io::Continue(())
    }

    fn flush(&mut self) -> Io {
        let result = self.stream()?.flush();
        self.or_over(result)
    }

    /// A stream that has broken is let go of: nothing can be written to it by mistake.
    fn or_over<T>(&mut self, result: Result<T, StreamError>) -> Io<T> {
        match result {
            Ok(value) => Io::Continue(value),
            Err(error) => {
                let gone = gone(error);
                self.state = State::Over;
                Io::Break(gone)
            }
        }
    }

    fn abandon(&mut self) {
        self.state = State::Over;
    }

    fn subscribe(&self) -> Io<Pollable> {
        Io::Continue(self.stream()?.subscribe())
    }

    fn stream(&self) -> Io<&OutputStream> {
        match &self.state {
            State::Sending { stream, .. } => Io::Continue(stream),
            _ => Io::Break(ClientGone::new("the answer is over")),
        }
    }

    fn finish(&mut self, trailers: Option<Fields>) -> Io {
        let State::Sending { stream, body } = std::mem::replace(&mut self.state, State::Over)
        else {
            return Io::Break(ClientGone::new("the answer is over"));
        };
        drop(stream);
        let has_trailers = trailers.is_some();
        match OutgoingBody::finish(body, trailers.map(to_wasi)) {
            Ok(()) => Io::Continue(()),
            // Where trailers are not known, as by jco, they are refused and the body ends all the
            // same. That a client is gone is said by writes, not here.
            Err(_) if has_trailers => Io::Continue(()),
            // The error's own words would link the text of every error that HTTP can have.
            Err(_) => Io::Break(ClientGone::new("the response body could not be finished")),
        }
    }
}

impl LastWords for PendingAnswer {
    fn say(&mut self) {
        let response = Response::error(self.blame.take().as_ref(), ProtocolError::Internal);
        if let State::Unsent(_) = self.state {
            let (head, body) = reply_to(response, true).into_head();
            let head = head.with_length(body.len());
            if let Io::Continue(written) = self.start(head, body.as_bytes()) {
                let _ = self.write_blocking(&body.as_bytes()[written..]);
                let _ = self.finish(None);
            }
        } else if let State::Sending { .. } = self.state {
            let _ = self.write_blocking(event(&response.json).as_bytes());
            let _ = self.finish(None);
        }
    }
}

fn to_wasi(fields: Fields) -> WasiFields {
    let pairs = fields.into_pairs();
    WasiFields::from_list(&pairs).unwrap_or_else(|_| {
        // A host that forbids one of them still gets the others.
        let fields = WasiFields::new();
        for (name, value) in &pairs {
            let _ = fields.append(name, value);
        }
        fields
    })
}
