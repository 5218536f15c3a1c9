//! Sleeping and outbound HTTP by WASI 0.2.

use std::future::pending;

use futures_lite::future::or;
use http::{HeaderName, HeaderValue, Request, Response, StatusCode};
use wasip2::http::outgoing_handler;
use wasip2::http::types::{
    ErrorCode, Fields, FutureIncomingResponse, IncomingResponse, Method, OutgoingBody,
    OutgoingRequest, Scheme,
};
use wasip2::io::streams::StreamError;
use wstd::io::AsyncOutputStream;

use crate::sys::fetch::{FetchError, MAX_BODY};
pub(crate) use crate::sys::p2::io::sleep;
use crate::sys::p2::io::{READ_SIZE, wait_for};
use crate::sys::wasi_http::request_functions;

request_functions!(OutgoingRequest);

/// Sends a request and reads the whole answer. A server may answer before it has read all, and read
/// no more: what could not be written then is no failure.
pub(crate) async fn fetch(request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, FetchError> {
    let (head, body) = request.into_parts();
    let request = OutgoingRequest::new(to_wasi(&head.headers)?);
    address(&request, &head.method, &head.uri).map_err(FetchError::Invalid)?;
    // Hosts do not read a body of `GET`: the end of an empty one could not be written.
    let outgoing = (!body.is_empty()).then(|| request.body()).transpose();
    let outgoing = outgoing.map_err(|()| FetchError::Invalid("it cannot have a body"))?;
    let response = outgoing_handler::handle(request, None).map_err(failed)?;
    let write = async move {
        if let Some(outgoing) = outgoing {
            write(outgoing, &body).await;
        }
        pending().await
    };
    or(read(response), write).await
}

/// Writes as much of a body as is wanted.
async fn write(outgoing: OutgoingBody, body: &[u8]) {
    let Ok(stream) = outgoing.write() else { return };
    let stream = AsyncOutputStream::new(stream);
    let written = stream.write_all(body).await;
    // A child of the body, which goes first.
    drop(stream);
    if written.is_ok() {
        let _ = OutgoingBody::finish(outgoing, None);
    }
}

async fn read(response: FutureIncomingResponse) -> Result<Response<Vec<u8>>, FetchError> {
    wait_for(response.subscribe()).await;
    let answer = response.get().and_then(Result::ok);
    let response = answer.ok_or_else(|| no_http("the host has no answer"))?.map_err(failed)?;
    let mut answer = Response::new(Vec::new());
    let broken = || no_http("the answer is no HTTP");
    *answer.status_mut() = StatusCode::from_u16(response.status()).map_err(|_| broken())?;
    for (name, value) in response.headers().entries() {
        let name = HeaderName::try_from(name).map_err(|_| broken())?;
        let value = HeaderValue::try_from(value).map_err(|_| broken())?;
        answer.headers_mut().try_append(name, value).map_err(|_| broken())?;
    }
    read_body(&response, answer.body_mut()).await?;
    Ok(answer)
}

async fn read_body(response: &IncomingResponse, bytes: &mut Vec<u8>) -> Result<(), FetchError> {
    let none = |()| no_http("the answer has no body");
    let body = response.consume().map_err(none)?;
    let stream = body.stream().map_err(none)?;
    loop {
        match stream.read(READ_SIZE) {
            Ok(piece) if piece.is_empty() => wait_for(stream.subscribe()).await,
            Ok(piece) if bytes.len() + piece.len() > MAX_BODY => return Err(FetchError::TooLarge),
            Ok(piece) => bytes.extend_from_slice(&piece),
            Err(StreamError::Closed) => return Ok(()),
            Err(StreamError::LastOperationFailed(error)) => {
                // What follows may be a trace of the host's own calls.
                let reason = error.to_debug_string();
                return Err(no_http(reason.lines().next().unwrap_or_default()));
            }
        }
    }
}

fn no_http(reason: &str) -> FetchError {
    FetchError::Failed(reason.to_owned())
}

fn failed(error: ErrorCode) -> FetchError {
    match error {
        ErrorCode::HttpRequestDenied => FetchError::Denied,
        other => FetchError::Failed(other.to_string()),
    }
}
