//! One exchange: from the head of the request to the body of the response.

mod request_body;
pub(crate) mod response_body;

use std::{
    future::poll_fn,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use http::{HeaderMap, Method, Request, Response, StatusCode, Version, header};
use http_body::Body as _;
use hyper::body::Incoming;
use tokio::{
    sync::{
        OwnedSemaphorePermit,
        oneshot::{self, error::TryRecvError},
    },
    time::timeout_at,
};
use wasmtime_wasi_http::p2::body::HyperOutgoingBody;

use self::{request_body::RequestBody, response_body::ResponseBody};
use crate::{
    runtime::{
        buffered::{self, BufferedResponse, RawResponse, ReceivedRequest, Rewind},
        component::{Guest, GuestKind},
        host_state::HostState,
        instance::{GuestCall, GuestExit, GuestTask, HandlerResult},
        p2::{self, P2Component},
        p3,
    },
    telemetry::{access_log::ExchangeRecord, fault::Fault, in_flight::InFlightGuard},
};

/// Begins an exchange. Dropping the returned future, even before it is first polled, means that the
/// client has disconnected before the head: a guest of WASI 0.2 is part of the future and is dropped
/// with it; one of WASI 0.3 is notified and exits by itself.
pub(crate) fn begin(
    host: &Arc<HostState>,
    guest: Guest,
    refused: Option<Fault>,
    request: Request<Incoming>,
    in_flight: InFlightGuard,
) -> impl Future<Output = Response<ResponseBody>> + Send + use<> {
    let record = Arc::new(ExchangeRecord::new(host.next_exchange(), &request, in_flight));
    if request.body().is_end_stream() {
        record.request_read();
    }
    let unanswered = Unanswered(Some(Arc::clone(&record)));
    let host = Arc::clone(host);
    async move {
        let (version, is_head) = (request.version(), request.method() == Method::HEAD);
        let response = match refused {
            Some(fault) => Err(fault),
            None => respond(&host, guest, request, &record).await,
        };
        unanswered.disarm();
        let mut response = response.unwrap_or_else(|fault| refuse(&fault, version, &record));
        if is_head || has_no_body(response.status()) {
            response.body_mut().expect_nothing();
        }
        response
    }
}

/// Records that the client has disconnected when the exchange is dropped before it has a response.
struct Unanswered(Option<Arc<ExchangeRecord>>);

impl Unanswered {
    fn disarm(mut self) {
        self.0 = None;
    }
}

impl Drop for Unanswered {
    fn drop(&mut self) {
        if let Some(record) = &self.0 {
            record.client_gone("the client disconnected before the response");
        }
    }
}

/// Makes the response of the host itself.
fn refuse(fault: &Fault, version: Version, record: &Arc<ExchangeRecord>) -> Response<ResponseBody> {
    record.fault(fault);
    fault.response(version).map(|bytes| ResponseBody::buffered(bytes, Arc::clone(record)))
}

fn has_no_body(status: StatusCode) -> bool {
    status.is_informational() || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
}

/// Has the guest respond, within the limits of the host.
async fn respond(
    host: &Arc<HostState>,
    guest: Guest,
    request: Request<Incoming>,
    record: &Arc<ExchangeRecord>,
) -> Result<Response<ResponseBody>, Fault> {
    let limit = host.config().max_body;
    if announced_length(request.headers()).is_some_and(|length| length > limit) {
        return Err(Fault::BodyTooLarge);
    }
    let permit = host.permit().ok_or(Fault::Overloaded)?;
    let request = request.map(|body| RequestBody::new(body, host.config(), Arc::clone(record)));
    match guest.kind() {
        GuestKind::P2(component) => {
            let request = receive(host, component, request, record).await?;
            if let Some(raw) = try_fast_path(host, component, &request, record) {
                return buffered(BufferedResponse { raw, permit: Some(permit) }, record);
            }
            let begin = |call| p2::begin(host, Arc::clone(component), call);
            run(begin, request, permit, record).await
        }
        GuestKind::P3(component) => {
            run(|call| p3::begin(host, Arc::clone(component), call), request, permit, record).await
        }
    }
}

/// Receives a request: the whole of it, for a guest that takes it in one call.
async fn receive(
    host: &HostState,
    component: &P2Component,
    request: Request<RequestBody<Incoming>>,
    record: &ExchangeRecord,
) -> Result<ReceivedRequest<RequestBody<Incoming>>, Fault> {
    if !component.takes_buffered() {
        return Ok(ReceivedRequest::Streaming(request.map(Rewind::new)));
    }
    timeout_at(record.deadline(host.config()), buffered::read(request))
        .await
        .map_err(|_| Fault::TimedOut)?
        .map_err(|_| record.refusal().cloned().unwrap_or(Fault::BodyTruncated))
}

/// Tries to get the response of a buffered request without a component.
fn try_fast_path<B>(
    host: &HostState,
    component: &P2Component,
    request: &ReceivedRequest<B>,
    record: &ExchangeRecord,
) -> Option<RawResponse> {
    let ReceivedRequest::Buffered(request) = request else { return None };
    let fast_path = component.fast_path()?;
    let _gauge = host.count_instance();
    fast_path.run(host.grants(), record, request)
}

/// Passes on a buffered response.
fn buffered(
    response: BufferedResponse,
    record: &Arc<ExchangeRecord>,
) -> Result<Response<ResponseBody>, Fault> {
    let (mut response, permit) = response.parse()?;
    record.response_head(response.status(), response.headers_mut());
    Ok(response.map(|body| ResponseBody::buffered(body, Arc::clone(record)).holding(permit)))
}

/// Runs the task of a guest, and passes on the response.
async fn run<R>(
    begin: impl FnOnce(GuestCall<R>) -> GuestTask,
    request: R,
    permit: OwnedSemaphorePermit,
    record: &Arc<ExchangeRecord>,
) -> Result<Response<ResponseBody>, Fault> {
    let (result, mut head) = oneshot::channel();
    let (complete, completed) = oneshot::channel();
    let record_of_call = Arc::clone(record);
    let mut task = begin(GuestCall { request, permit, record: record_of_call, result, completed });
    match poll_fn(|cx| poll_head(&mut task, &mut head, record, cx)).await? {
        Head::Buffered(response) => buffered(response, record),
        Head::Streaming(response, exit) => stream(response, exit, task, complete, record).await,
    }
}

/// Passes on a response whose head the guest has sent through `wasi:http`.
async fn stream(
    response: Response<HyperOutgoingBody>,
    exit: Option<GuestExit>,
    mut task: GuestTask,
    complete: oneshot::Sender<()>,
    record: &Arc<ExchangeRecord>,
) -> Result<Response<ResponseBody>, Fault> {
    let exit = match exit {
        None if !is_event_stream(&response) => poll_once_more(&mut task).await,
        exit => exit,
    };
    let (mut head, body) = response.into_parts();
    let length = announced_length(&head.headers);
    let body = match exit {
        // Nothing has been sent yet, so the client can still get a whole response.
        Some(exit) if !exit.complete => return buffered(exit.into_response()?, record),
        Some(_) => ResponseBody::finished(body, length, Arc::clone(record)),
        None => {
            // The guest outlives this future: it writes while hyper sends.
            drop(tokio::spawn(task));
            ResponseBody::streamed(body, length, Arc::clone(record), complete)
        }
    };
    record.response_head(head.status, &mut head.headers);
    Ok(Response::from_parts(head, body))
}

fn announced_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn is_event_stream<B>(response: &Response<B>) -> bool {
    response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"))
}

/// Polls a guest once more after its head, so that head and body go out in one write when a tick came
/// between them.
async fn poll_once_more(task: &mut GuestTask) -> Option<GuestExit> {
    tokio::task::yield_now().await;
    poll_fn(|cx| match task.as_mut().poll(cx) {
        Poll::Ready(exit) => Poll::Ready(Some(exit)),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}

/// How a response begins.
enum Head {
    /// With a head, and the exit of the guest if it has exited already.
    Streaming(Response<HyperOutgoingBody>, Option<GuestExit>),
    /// With all of it, from a guest that has exited.
    Buffered(BufferedResponse),
}

/// Polls a guest until it has sent a head, has exited, or its request is refused by the host.
fn poll_head(
    task: &mut GuestTask,
    result: &mut oneshot::Receiver<HandlerResult>,
    record: &ExchangeRecord,
    cx: &mut Context<'_>,
) -> Poll<Result<Head, Fault>> {
    let exit = match task.as_mut().poll(cx) {
        Poll::Ready(exit) => Some(exit),
        Poll::Pending => None,
    };
    if let Some(fault) = record.refusal() {
        return Poll::Ready(Err(fault.clone()));
    }
    match (poll_result(result, cx), exit) {
        (Some(Ok(response)), exit) => Poll::Ready(Ok(Head::Streaming(response, exit))),
        (Some(Err(code)), _) => Poll::Ready(Err(Fault::ErrorCode(format!("{code:?}")))),
        (None, Some(exit)) => Poll::Ready(exit.into_response().map(Head::Buffered)),
        (None, None) => Poll::Pending,
    }
}

/// Returns the result of the handler if it is there. Otherwise the task is woken when it comes: a
/// pooled instance runs in a task of its own.
fn poll_result(
    result: &mut oneshot::Receiver<HandlerResult>,
    cx: &mut Context<'_>,
) -> Option<HandlerResult> {
    match result.try_recv() {
        Ok(result) => Some(result),
        Err(TryRecvError::Closed) => None,
        Err(TryRecvError::Empty) => match Pin::new(result).poll(cx) {
            Poll::Ready(result) => result.ok(),
            Poll::Pending => None,
        },
    }
}
