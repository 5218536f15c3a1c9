//! What handlers ask of WASI 0.3: to wait, and to call other servers.

use std::time::Duration;

use futures_lite::future::zip;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, Uri};
use wasip3::http::client;
use wasip3::http::types::{
    ErrorCode, Fields, Method, Request as WasiRequest, Response as WasiResponse, Scheme,
};
use wasip3::wit_bindgen::rt::async_support::StreamResult;
use wasip3::{wit_future, wit_stream};

use super::{p2_client, p3, stdio};
use crate::fetch::{FetchError, MAX_BODY};

/// Most bytes to take in one read.
const READ_SIZE: usize = 64 << 10;

/// Waits. `run` is a function of WASI 0.2, within which nothing of 0.3 can be waited for.
pub(crate) async fn sleep(time: Duration) {
    if stdio::is_running() { p2_client::sleep(time).await } else { p3::sleep(time).await }
}

/// Sends a request and reads the whole answer, by the same rule.
pub(crate) async fn fetch(request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, FetchError> {
    if stdio::is_running() {
        return p2_client::fetch(request).await;
    }
    let (head, body) = request.into_parts();
    let headers = to_wasi(&head.headers)?;
    let (_, trailers) = wit_future::new(|| Ok(None));
    let (mut stream, contents) = wit_stream::new();
    let contents = (!body.is_empty()).then_some(contents);
    let (request, _) = WasiRequest::new(headers, contents, trailers, None);
    address(&request, &head.method, &head.uri).map_err(FetchError::Invalid)?;
    let write = async move {
        // A server may answer before it has read all.
        let _ = stream.write_all(body).await;
    };
    let (response, ()) = zip(client::send(request), write).await;
    read(response.map_err(failed)?).await
}

fn to_wasi(headers: &HeaderMap) -> Result<Fields, FetchError> {
    let pairs = headers.iter();
    let pairs: Vec<_> =
        pairs.map(|(name, value)| (name.to_string(), value.as_bytes().to_vec())).collect();
    Fields::from_list(&pairs).map_err(|_| FetchError::Invalid("a header is not allowed"))
}

fn address(request: &WasiRequest, method: &http::Method, uri: &Uri) -> Result<(), &'static str> {
    let method = match method.as_str() {
        "GET" => Method::Get,
        "HEAD" => Method::Head,
        "POST" => Method::Post,
        "PUT" => Method::Put,
        "DELETE" => Method::Delete,
        "OPTIONS" => Method::Options,
        "PATCH" => Method::Patch,
        other => Method::Other(other.to_owned()),
    };
    request.set_method(&method).map_err(|()| "the method is not allowed")?;
    let scheme = match uri.scheme_str() {
        Some("http") => Scheme::Http,
        Some("https") | None => Scheme::Https,
        Some(other) => Scheme::Other(other.to_owned()),
    };
    request.set_scheme(Some(&scheme)).map_err(|()| "the scheme is not allowed")?;
    let authority = uri.authority().ok_or("the URI names no server")?;
    request.set_authority(Some(authority.as_str())).map_err(|()| "the server has no valid name")?;
    let path = uri.path_and_query().map(http::uri::PathAndQuery::as_str);
    request.set_path_with_query(path).map_err(|()| "the path is not allowed")
}

async fn read(response: WasiResponse) -> Result<Response<Vec<u8>>, FetchError> {
    let broken = || FetchError::Failed("the answer is no HTTP".to_owned());
    let mut answer = Response::new(Vec::new());
    *answer.status_mut() =
        StatusCode::from_u16(response.get_status_code()).map_err(|_| broken())?;
    for (name, value) in response.get_headers().copy_all() {
        let name = HeaderName::try_from(name).map_err(|_| broken())?;
        answer.headers_mut().append(name, HeaderValue::try_from(value).map_err(|_| broken())?);
    }
    let (_, read) = wit_future::new(|| Ok(()));
    let (mut stream, trailers) = WasiResponse::consume_body(response, read);
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
