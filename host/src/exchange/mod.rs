//! One exchange: permit, instance, call, answer, gone.

pub(crate) mod request_body;
pub(crate) mod response_body;

use std::{
    future::poll_fn,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use http::{HeaderMap, Method, Request, Response, StatusCode, Version, header};
use http_body::Body;
use hyper::body::Incoming;
use tokio::{
    sync::oneshot::{self, error::TryRecvError},
    time::timeout_at,
};
use wasmtime_wasi_http::p2::{bindings::http::types::ErrorCode, body::HyperOutgoingBody};

use crate::{
    Guest, Host,
    exchange::{request_body::RequestBody, response_body::ResponseBody},
    net::connection::Busy,
    runtime::{
        buffered::{self, Answer, Arrived, Kept, Started},
        component::{Kind, Proxied},
        instance::{self, End, Life},
        p3,
    },
    telemetry::{access_log::Report, fault::Fault},
};

/// A guest's answer as it hands it over through `wasi:http`.
pub(crate) type Answered = Result<Response<HyperOutgoingBody>, ErrorCode>;

/// Begins an exchange. Dropping the future it returns, even before it is first polled, is the
/// client's leaving before the head: a guest of WASI 0.2 is part of the future, and goes with it;
/// one of 0.3 is told, and ends by itself (`p3::life::Told`).
pub(crate) fn begin(
    host: &Host,
    guest: Guest,
    refused: Option<Fault>,
    request: Request<Incoming>,
    busy: Busy,
) -> impl Future<Output = Response<ResponseBody>> + Send + use<> {
    let report = Arc::new(Report::new(host.next_exchange(), &request, busy));
    if request.body().is_end_stream() {
        report.request_is_read();
    }
    let unanswered = Unanswered(Some(Arc::clone(&report)));
    let host = host.clone();
    async move {
        let (version, is_head) = (request.version(), request.method() == Method::HEAD);
        let answer = match refused {
            Some(fault) => Err(fault),
            None => answer(&host, guest, request, &report).await,
        };
        unanswered.disarm();
        let mut response = answer.unwrap_or_else(|fault| own_answer(&fault, version, &report));
        if is_head || has_no_body(response.status()) {
            response.body_mut().expect_nothing();
        }
        response
    }
}

/// Marks the client as gone when the exchange is dropped before there is an answer.
struct Unanswered(Option<Arc<Report>>);

impl Unanswered {
    fn disarm(mut self) {
        self.0 = None;
    }
}

impl Drop for Unanswered {
    fn drop(&mut self) {
        if let Some(report) = &self.0 {
            report.client_gone("the client left before the answer");
        }
    }
}

fn own_answer(fault: &Fault, version: Version, report: &Arc<Report>) -> Response<ResponseBody> {
    report.fault(fault);
    fault.response(version).map(|bytes| ResponseBody::whole(bytes, Arc::clone(report)))
}

fn has_no_body(status: StatusCode) -> bool {
    status.is_informational() || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
}

async fn answer(
    host: &Host,
    guest: Guest,
    request: Request<Incoming>,
    report: &Arc<Report>,
) -> Result<Response<ResponseBody>, Fault> {
    let limit = host.config().max_body;
    if announced_length(request.headers()).is_some_and(|length| length > limit) {
        return Err(Fault::BodyTooLarge);
    }
    let permit = host.permit().ok_or(Fault::Overloaded)?;
    let request = request.map(|body| RequestBody::new(body, host.config(), Arc::clone(report)));
    match guest.kind() {
        Kind::P2(guest) => {
            let request = arrive(host, guest, request, report).await?;
            if let Some(answer) = attempt(host, guest, &request, report) {
                return Kept { answer, permit: Some(permit) }.into_response(report);
            }
            let guest = Arc::clone(guest);
            let begin = |answered, completed| {
                instance::begin(host, guest, permit, request, report, answered, completed)
            };
            live(begin, report).await
        }
        Kind::P3(world, service) => {
            let begin = |answered, completed| {
                let report = Arc::clone(report);
                let exchange = p3::Exchange { request, permit, report, answered, completed };
                p3::begin(host, world, Arc::clone(service), exchange)
            };
            live(begin, report).await
        }
    }
}

/// Tries to have the answer without a component, for a request that is all there.
fn attempt<B>(
    host: &Host,
    guest: &Proxied,
    request: &Arrived<B>,
    report: &Arc<Report>,
) -> Option<Answer> {
    let (Arrived::Whole(request), Some(pure)) = (request, guest.pure()) else { return None };
    let _counted = host.count_instance();
    pure.answer(host.engine(), host.grants(), report, request)
}

/// Has a guest work, and passes on its answer.
async fn live(
    begin: impl FnOnce(oneshot::Sender<Answered>, oneshot::Receiver<()>) -> Life,
    report: &Arc<Report>,
) -> Result<Response<ResponseBody>, Fault> {
    let (answered, mut answer) = oneshot::channel();
    let (complete, completed) = oneshot::channel();
    let mut life = begin(answered, completed);
    match poll_fn(|cx| poll_head(&mut life, &mut answer, report, cx)).await? {
        Head::Whole(answer) => answer.into_response(report),
        Head::Started(response, end) => respond(response, end, life, complete, report).await,
    }
}

/// Passes on an answer whose head is there.
async fn respond(
    response: Response<HyperOutgoingBody>,
    end: Option<End>,
    mut life: Life,
    complete: oneshot::Sender<()>,
    report: &Arc<Report>,
) -> Result<Response<ResponseBody>, Fault> {
    let end = match end {
        None if !is_event_stream(&response) => one_more_turn(&mut life).await,
        end => end,
    };
    let (mut head, body) = response.into_parts();
    let length = announced_length(&head.headers);
    let body = match end {
        // Nothing has been sent yet, so there is still a better answer than half of one.
        Some(end) if !end.complete => return end.into_answer()?.into_response(report),
        Some(_) => ResponseBody::finished(body, length, Arc::clone(report)),
        None => {
            // The guest outlives this future: it writes on while hyper sends.
            drop(tokio::spawn(life));
            ResponseBody::streamed(body, length, Arc::clone(report), complete)
        }
    };
    report.head(head.status, &mut head.headers);
    Ok(Response::from_parts(head, body))
}

/// Reads a request to its end for a guest that takes it so.
async fn arrive(
    host: &Host,
    guest: &Proxied,
    request: Request<RequestBody<Incoming>>,
    report: &Arc<Report>,
) -> Result<Arrived<RequestBody<Incoming>>, Fault> {
    if !guest.takes_whole() {
        return Ok(Arrived::Streaming(request.map(Started::not)));
    }
    timeout_at(report.deadline(host.config()), buffered::read(request))
        .await
        .map_err(|_| Fault::TimedOut)?
        .map_err(|_| body_fault(report))
}

/// Why there is no more of a request.
fn body_fault(report: &Report) -> Fault {
    report.refusal().cloned().unwrap_or(Fault::BodyCut)
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

/// A tick may have come between a guest's head and its body; with one more turn they still go out
/// in one write.
async fn one_more_turn(life: &mut Life) -> Option<End> {
    tokio::task::yield_now().await;
    poll_fn(|cx| match life.as_mut().poll(cx) {
        Poll::Ready(end) => Poll::Ready(Some(end)),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}

/// How an answer begins.
enum Head {
    /// With a head, and the guest's end if it has come already.
    Started(Response<HyperOutgoingBody>, Option<End>),
    /// With all of it, from a guest that has ended.
    Whole(buffered::Kept),
}

/// Lets the guest work until it has a head, or has ended, or its request turns out to be one that
/// the host answers.
fn poll_head(
    life: &mut Life,
    answer: &mut oneshot::Receiver<Answered>,
    report: &Report,
    cx: &mut Context<'_>,
) -> Poll<Result<Head, Fault>> {
    let end = match Pin::new(life).poll(cx) {
        Poll::Ready(end) => Some(end),
        Poll::Pending => None,
    };
    if let Some(fault) = report.refusal() {
        return Poll::Ready(Err(fault.clone()));
    }
    match (poll_answered(answer, cx), end) {
        (Some(Ok(response)), end) => Poll::Ready(Ok(Head::Started(response, end))),
        (Some(Err(code)), _) => Poll::Ready(Err(Fault::ErrorCode(format!("{code:?}")))),
        (None, Some(end)) => Poll::Ready(end.into_answer().map(Head::Whole)),
        (None, None) => Poll::Pending,
    }
}

/// The head, if it is there; otherwise whoever waits for it is woken when it comes, since a shared
/// instance is at work in a task of its own.
fn poll_answered(
    answer: &mut oneshot::Receiver<Answered>,
    cx: &mut Context<'_>,
) -> Option<Answered> {
    match answer.try_recv() {
        Ok(answered) => Some(answered),
        Err(TryRecvError::Closed) => None,
        Err(TryRecvError::Empty) => match Pin::new(answer).poll(cx) {
            Poll::Ready(answered) => answered.ok(),
            Poll::Pending => None,
        },
    }
}
