//! `wasi:http` 0.3: one call of `handler` is one exchange, beside which there may be others.

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use futures_lite::future::or;
use wasip3::clocks::monotonic_clock;
use wasip3::http::types::{ErrorCode, Method as WasiMethod, Request, Response};
use wasip3::wit_bindgen::rt::async_support::{
    FutureReader, FutureWriter, StreamReader, StreamResult, StreamWriter, block_on,
};
use wasip3::{spawn, wit_future, wit_stream};

use crate::handler::context::{Clock, Context};
use crate::handler::panic_attribution::PanicAttribution;
use crate::headers::map::Fields;
use crate::server::Server;
use crate::sys::log::log;
use crate::sys::p3::fields::{self, Trailers};
use crate::sys::panic::{self, HttpResponder, Progress};
use crate::transport::http::transport::{ClientGone, Flow, ResponseHead, Transport};
use crate::transport::http::{Method, RequestHead, cancelled, serve_with_contexts};

/// Most bytes to take in one read.
const READ_SIZE: usize = 16 << 10;

/// Answers one exchange. Called by `export!`; `return_now` hands over an answer from within.
///
/// Until there is a head, the exchange is part of the future that this returns: a host that cancels
/// the call drops it. With the head the call is answered, and the rest goes on beside it.
pub async fn handle(
    build: fn() -> Server,
    request: Request,
    return_now: fn(Response),
) -> Result<Response, ErrorCode> {
    let pending = Rc::new(RefCell::new(PendingResponse::new(return_now)));
    let exchange = or(run(build, request, Rc::clone(&pending)), stay_awake());
    let mut exchange =
        Box::pin(panic::responding(Rc::<RefCell<PendingResponse>>::clone(&pending), exchange));
    let mut over = false;
    let response = poll_fn(|cx| {
        over = exchange.as_mut().poll(cx).is_ready();
        match pending.borrow_mut().response.take() {
            Some(response) => Poll::Ready(Ok(response)),
            None if over => Poll::Ready(Err(ErrorCode::InternalError(None))),
            None => Poll::Pending,
        }
    })
    .await;
    if !over {
        spawn(exchange);
    }
    response
}

/// Waits for what never comes. A task that waits for nothing outside the component cannot sleep, as
/// one whose handler waits for another part of itself.
async fn stay_awake() {
    let (_writer, mut reader) = wit_stream::new::<u8>();
    reader.read(Vec::with_capacity(1)).await;
}

async fn run(build: fn() -> Server, request: Request, pending: Rc<RefCell<PendingResponse>>) {
    let head = read_head(&request);
    let transport = P3Transport { body: RequestBody::Unread(request), pending };
    let mut guard =
        CancelGuard { server: build(), transport, contexts: Vec::new(), was_cancelled: true };
    serve_with_contexts(&guard.server, head, &mut guard.transport, &mut guard.contexts).await;
    guard.was_cancelled = false;
}

/// What outlives an exchange that is cancelled: its handlers are dropped before.
struct CancelGuard {
    server: Server,
    transport: P3Transport,
    contexts: Vec<Context>,
    was_cancelled: bool,
}

impl Drop for CancelGuard {
    fn drop(&mut self) {
        if self.was_cancelled {
            // Blocking: of a cancelled task this is all there is.
            block_on(cancelled(&self.server, &mut self.transport, &self.contexts));
        }
    }
}

fn read_head(request: &Request) -> RequestHead {
    let method = match request.get_method() {
        WasiMethod::Post => Method::Post,
        WasiMethod::Options => Method::Options,
        _ => Method::Other,
    };
    let path = request.get_path_with_query().unwrap_or_default();
    let headers = Fields::from_pairs(request.get_headers().copy_all());
    RequestHead::new(method, path, headers, || request.get_authority())
}

/// The two sides of an exchange.
struct P3Transport {
    body: RequestBody,
    pending: Rc<RefCell<PendingResponse>>,
}

/// The request's body: its bytes, and what says whether they are all.
enum RequestBody {
    Unread(Request),
    Reading(StreamReader<u8>, FutureReader<Trailers>),
    Over,
}

impl Transport for P3Transport {
    async fn read(&mut self) -> Flow<Option<Vec<u8>>> {
        let (mut stream, trailers) = match std::mem::replace(&mut self.body, RequestBody::Over) {
            RequestBody::Unread(request) => {
                // What becomes of the request is told by the answer.
                let (writer, handled) = wit_future::new(|| Ok(()));
                let body = Request::consume_body(request, handled);
                // Not before: a write that nobody takes yet would outlast a cancelled task.
                drop(writer);
                body
            }
            RequestBody::Reading(stream, trailers) => (stream, trailers),
            RequestBody::Over => return Flow::Continue(None),
        };
        loop {
            let (result, piece) = stream.read(Vec::with_capacity(READ_SIZE)).await;
            match result {
                StreamResult::Complete(_) if piece.is_empty() => {}
                StreamResult::Complete(_) => {
                    self.body = RequestBody::Reading(stream, trailers);
                    return Flow::Continue(Some(piece));
                }
                StreamResult::Dropped | StreamResult::Cancelled => break,
            }
        }
        match trailers.await {
            Ok(_) => Flow::Continue(None),
            // Whatever the error says: a body that does not end as it should has no sender. Its own
            // words would link the text of every error that HTTP can have.
            Err(_) => Flow::Break(ClientGone::new("the request body was cut short")),
        }
    }

    async fn start(&mut self, head: ResponseHead, first: &[u8]) -> Flow {
        self.pending.borrow_mut().start(head)?;
        if first.is_empty() { Flow::Continue(()) } else { self.write(first).await }
    }

    async fn write(&mut self, bytes: &[u8]) -> Flow {
        let stream = self.pending.borrow_mut().take_stream();
        let mut stream = stream?;
        let rest = stream.write_all(bytes.to_vec()).await;
        self.pending.borrow_mut().put_back(stream, rest.is_empty())
    }

    async fn finish(&mut self, trailers: Option<Fields>) -> Flow {
        let end = self.pending.borrow_mut().take_end();
        let written = end?.write(Ok(trailers.map(fields::to_wasi)));
        match written.await {
            Ok(()) => Flow::Continue(()),
            Err(_) => Flow::Break(ClientGone::new("the end of the response body was not taken")),
        }
    }

    fn abandon(&mut self) {
        self.pending.borrow_mut().state = State::Over;
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

/// What is left to answer. Shared with the panic hook, which answers in a handler's place.
struct PendingResponse {
    state: State,
    /// The head, until it is handed over.
    response: Option<Response>,
    return_now: fn(Response),
    attribution: PanicAttribution,
}

enum State {
    Unsent,
    /// Without a stream while something is being written.
    Sending(Option<StreamWriter<u8>>, FutureWriter<Trailers>),
    Over,
}

impl PendingResponse {
    fn new(return_now: fn(Response)) -> Self {
        Self {
            state: State::Unsent,
            response: None,
            return_now,
            attribution: PanicAttribution::default(),
        }
    }

    fn start(&mut self, head: ResponseHead) -> Flow {
        if !matches!(self.state, State::Unsent) {
            return Flow::Break(ClientGone::new("the answer had started"));
        }
        let (stream, contents) = wit_stream::new();
        // An answer that is let go of before its end must not look whole.
        let (end, trailers) = wit_future::new(|| Err(ErrorCode::ConnectionTerminated));
        let headers = fields::to_wasi(head.headers);
        // Whether all was sent is of interest to nobody.
        let (response, _) = Response::new(headers, Some(contents), trailers);
        let status = head.status.as_u16();
        if status != 200 && response.set_status_code(status).is_err() {
            self.state = State::Over;
            return Flow::Break(ClientGone::new("the host refused the status"));
        }
        self.state = State::Sending(Some(stream), end);
        self.response = Some(response);
        Flow::Continue(())
    }

    fn take_stream(&mut self) -> Flow<StreamWriter<u8>> {
        match &mut self.state {
            State::Sending(stream, _) => stream.take().map_or_else(is_over, Flow::Continue),
            _ => is_over(),
        }
    }

    /// Keeps a stream that has taken all. One that has broken is let go of: nothing can be written
    /// to it by mistake.
    fn put_back(&mut self, stream: StreamWriter<u8>, took_all: bool) -> Flow {
        match &mut self.state {
            State::Sending(place, _) if took_all => {
                *place = Some(stream);
                Flow::Continue(())
            }
            _ => {
                self.state = State::Over;
                Flow::Break(ClientGone::new("stream closed"))
            }
        }
    }

    /// Ends the stream; what is left to say is whether that was the end.
    fn take_end(&mut self) -> Flow<FutureWriter<Trailers>> {
        match std::mem::replace(&mut self.state, State::Over) {
            State::Sending(Some(_), end) => Flow::Continue(end),
            _ => is_over(),
        }
    }
}

impl HttpResponder for PendingResponse {
    fn progress(&self) -> Progress {
        match self.state {
            State::Unsent => Progress::Unsent,
            State::Sending(Some(_), _) => Progress::Sending,
            State::Sending(None, _) | State::Over => Progress::Over,
        }
    }

    fn attribution(&self) -> &PanicAttribution {
        &self.attribution
    }

    fn send_now(&mut self, head: ResponseHead, body: &[u8]) {
        if self.start(head).is_continue() {
            self.end_now(body);
        }
    }

    fn end_now(&mut self, last: &[u8]) {
        if let Some(response) = self.response.take() {
            (self.return_now)(response);
        }
        let Flow::Continue(mut stream) = self.take_stream() else { return };
        let last = last.to_vec();
        let taken = block_on(async {
            let taken = stream.write_all(last).await.is_empty();
            drop(stream);
            taken
        });
        if let State::Sending(_, end) = std::mem::replace(&mut self.state, State::Over)
            && taken
        {
            let _ = block_on(end.write(Ok(None)).into_future());
        }
    }
}

fn is_over<T>() -> Flow<T> {
    Flow::Break(ClientGone::new("the answer is over"))
}

/// Waits.
pub(super) async fn sleep(time: Duration) {
    let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
    monotonic_clock::wait_for(nanos).await;
}
