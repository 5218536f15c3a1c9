//! One exchange: from the head of the request to the body of the response.

mod pace;
mod receive;
pub(crate) mod response_body;

use std::{
    future::poll_fn,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use http::{Method, Request, Response, StatusCode, Version, header};
use http_body::Body as _;
use hyper::body::Incoming;
use tokio::sync::oneshot::{self, error::TryRecvError};
use wasmtime_wasi_http::p2::body::HyperOutgoingBody;

use self::{
    receive::{announced_length, receive},
    response_body::ResponseBody,
};
use crate::{
    runtime::{
        admission::{BodyShare, Peer},
        buffered::{BufferedRequest, RawResponse},
        component::{Guest, GuestKind},
        host_state::HostState,
        instance::{GuestCall, GuestExit, GuestTask, HandlerResult},
        p2, p3,
    },
    telemetry::{access_log::ExchangeRecord, fault::Fault, in_flight::InFlightGuard},
};

/// Begins an exchange. Dropping the returned future, even before it is first polled, means that the
/// client has disconnected before the head: a guest of WASI 0.2 is part of the future and is dropped
/// with it; one of WASI 0.3 is notified and exits by itself.
pub(crate) fn begin(
    host: &Arc<HostState>,
    peer: &Arc<Peer>,
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
    let (host, peer) = (Arc::clone(host), Arc::clone(peer));
    async move {
        let (version, is_head) = (request.version(), request.method() == Method::HEAD);
        let response = match refused {
            Some(fault) => Err(fault),
            None => respond(&host, &peer, guest, request, &record).await,
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

/// Receives the request and has the guest respond, within the limits of the host.
async fn respond(
    host: &Arc<HostState>,
    peer: &Arc<Peer>,
    guest: Guest,
    request: Request<Incoming>,
    record: &Arc<ExchangeRecord>,
) -> Result<Response<ResponseBody>, Fault> {
    let request = receive(host, peer, request, record).await?;
    let permit = peer.permit()?;
    if let Some(raw) = try_fast_path(host, peer, &guest, &request, record) {
        drop(permit);
        return returned(raw, peer.body_share(), record);
    }
    let (result, head) = oneshot::channel();
    let call = GuestCall { request, permit, record: Arc::clone(record), result };
    let task = match guest.kind() {
        GuestKind::P2(component) => p2::begin(host, Arc::clone(component), call),
        GuestKind::P3(component) => p3::begin(host, Arc::clone(component), call),
    };
    run(task, head, peer, record).await
}

/// Tries to get a response without a component.
fn try_fast_path(
    host: &HostState,
    peer: &Arc<Peer>,
    guest: &Guest,
    request: &BufferedRequest,
    record: &ExchangeRecord,
) -> Option<RawResponse> {
    let GuestKind::P2(component) = guest.kind() else { return None };
    let fast_path = component.fast_path()?;
    let _gauge = host.count_instance();
    fast_path.run(host.grants(), peer, record, request)
}

/// Passes on a response that a guest has returned whole.
fn returned(
    raw: RawResponse,
    mut share: BodyShare,
    record: &Arc<ExchangeRecord>,
) -> Result<Response<ResponseBody>, Fault> {
    let mut response = raw.parse()?;
    record.response_head(response.status(), response.headers_mut());
    share.hold(response.body().len());
    Ok(response.map(|body| ResponseBody::buffered(body, Arc::clone(record)).holding(share)))
}

/// Runs the task of a guest, and passes on the response.
async fn run(
    mut task: GuestTask,
    mut head: oneshot::Receiver<HandlerResult>,
    peer: &Arc<Peer>,
    record: &Arc<ExchangeRecord>,
) -> Result<Response<ResponseBody>, Fault> {
    let (response, exit) = match poll_fn(|cx| poll_head(&mut task, &mut head, cx)).await? {
        Head::Sent(response, exit) => (response, exit),
        Head::Returned(exit) => return returned(exit.into_response()?, peer.body_share(), record),
    };
    let exit = match exit {
        None if !is_event_stream(&response) => poll_once_more(&mut task).await,
        exit => exit,
    };
    let has_exited = match exit {
        // Nothing has been sent yet, so the client can still get a whole response.
        Some(exit) if !exit.complete => {
            return returned(exit.into_response()?, peer.body_share(), record);
        }
        exit => exit.is_some(),
    };
    let (mut head, body) = response.into_parts();
    record.response_head(head.status, &mut head.headers);
    let length = announced_length(&head.headers);
    let body = if has_exited {
        ResponseBody::finished(body, length, Arc::clone(record), peer.body_share())
    } else {
        // The guest outlives this future: it writes while hyper sends.
        drop(tokio::spawn(task));
        ResponseBody::streamed(body, length, Arc::clone(record))
    };
    Ok(Response::from_parts(head, body))
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
    /// The guest has sent a head through `wasi:http`, and may have exited.
    Sent(Response<HyperOutgoingBody>, Option<GuestExit>),
    /// The guest has exited without.
    Returned(GuestExit),
}

/// Polls a guest until it has sent a head or has exited.
fn poll_head(
    task: &mut GuestTask,
    result: &mut oneshot::Receiver<HandlerResult>,
    cx: &mut Context<'_>,
) -> Poll<Result<Head, Fault>> {
    let exit = match task.as_mut().poll(cx) {
        Poll::Ready(exit) => Some(exit),
        Poll::Pending => None,
    };
    match (poll_result(result, cx), exit) {
        (Some(Ok(response)), exit) => Poll::Ready(Ok(Head::Sent(response, exit))),
        (Some(Err(code)), _) => Poll::Ready(Err(Fault::ErrorCode(format!("{code:?}")))),
        (None, Some(exit)) => Poll::Ready(Ok(Head::Returned(exit))),
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
