//! What handlers ask of WASI 0.2: to wait, and to call other servers.

use std::future::poll_fn;
use std::pin::Pin;

use http::{Request, Response};
use wstd::http::body::HttpBody;
use wstd::http::error::ErrorCode;
use wstd::http::{Body, Client, Error};

pub(crate) use super::p2_io::sleep;
use crate::fetch::{FetchError, MAX_BODY};

/// Sends a request and reads the whole answer.
pub(crate) async fn fetch(request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, FetchError> {
    if request.uri().authority().is_none() {
        return Err(FetchError::Invalid("the URI names no server"));
    }
    let (head, body) = Client::new().send(request).await.map_err(failed)?.into_parts();
    Ok(Response::from_parts(head, read(body).await?))
}

async fn read(body: Body) -> Result<Vec<u8>, FetchError> {
    let mut body = body.into_boxed_body();
    let mut bytes = Vec::new();
    while let Some(frame) = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
        if let Ok(piece) = frame.map_err(failed)?.into_data() {
            if bytes.len() + piece.len() > MAX_BODY {
                return Err(FetchError::TooLarge);
            }
            bytes.extend_from_slice(&piece);
        }
    }
    Ok(bytes)
}

fn failed(error: Error) -> FetchError {
    match error.downcast_ref() {
        Some(ErrorCode::HttpRequestDenied) => FetchError::Denied,
        _ => FetchError::Failed(error.to_string()),
    }
}
