//! Sleeping and outbound HTTP by WASI 0.3.

use std::time::Duration;

use futures_lite::future::zip;
use http::{HeaderName, HeaderValue, Request, Response, StatusCode};
use wasip3::http::client;
use wasip3::http::types::{
    ErrorCode, Fields, Method, Request as WasiRequest, Response as WasiResponse, Scheme,
};
use wasip3::wit_bindgen::rt::async_support::StreamResult;
use wasip3::{wit_future, wit_stream};

use crate::sys::fetch::{FetchError, MAX_BODY};
use crate::sys::wasi_http::request_functions;
use crate::sys::{p2, p3, stdio};

request_functions!(WasiRequest);

/// Most bytes to take in one read.
const READ_SIZE: usize = 64 << 10;

/// Waits. `run` is a function of WASI 0.2, within which nothing of 0.3 can be waited for.
pub(crate) async fn sleep(time: Duration) {
    if stdio::is_running() { p2::client::sleep(time).await } else { p3::http::sleep(time).await }
}

/// Sends a request and reads the whole answer, by the same rule.
pub(crate) async fn fetch(request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, FetchError> {
    if stdio::is_running() {
        return p2::client::fetch(request).await;
    }
    let (head, body) = request.into_parts();
    let headers = to_wasi(&head.headers)?;
    let (end, trailers) = wit_future::new(|| Ok(None));
    let (mut stream, contents) = wit_stream::new();
    let contents = (!body.is_empty()).then_some(contents);
    let (request, _) = WasiRequest::new(headers, contents, trailers, None);
    address(&request, &head.method, &head.uri).map_err(FetchError::Invalid)?;
    let write = async move {
        // A server may answer before it has read all.
        let _ = stream.write_all(body).await;
        drop((stream, end));
    };
    // `write` is dropped last: a writer whose reader the host neither reads nor has dropped would
    // outlast a cancelled task.
    let (response, ()) = zip(client::send(request), write).await;
    read(response.map_err(failed)?).await
}

async fn read(response: WasiResponse) -> Result<Response<Vec<u8>>, FetchError> {
    let broken = || FetchError::Failed("the answer is no HTTP".to_owned());
    let mut answer = Response::new(Vec::new());
    *answer.status_mut() =
        StatusCode::from_u16(response.get_status_code()).map_err(|_| broken())?;
    for (name, value) in response.get_headers().copy_all() {
        let name = HeaderName::try_from(name).map_err(|_| broken())?;
        let value = HeaderValue::try_from(value).map_err(|_| broken())?;
        answer.headers_mut().try_append(name, value).map_err(|_| broken())?;
    }
    let (writer, read) = wit_future::new(|| Ok(()));
    let (mut stream, trailers) = WasiResponse::consume_body(response, read);
    drop(writer);
    let body = answer.body_mut();
    loop {
        let (result, piece) = stream.read(Vec::with_capacity(READ_SIZE)).await;
        if let StreamResult::Dropped | StreamResult::Cancelled = result {
            break;
        }
        if body.len() + piece.len() > MAX_BODY {
            return Err(FetchError::TooLarge);
        }
        body.extend_from_slice(&piece);
    }
    // What ends a body that is cut short, too.
    trailers.await.map_err(failed)?;
    Ok(answer)
}

fn failed(error: ErrorCode) -> FetchError {
    match error {
        ErrorCode::HttpRequestDenied => FetchError::Denied,
        other => FetchError::Failed(other.to_string()),
    }
}
