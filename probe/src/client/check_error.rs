//! Failures of an exchange that must succeed.

use std::{io, time::Duration};

use http::StatusCode;
use tokio::time::timeout;

use crate::client::message_decoder::TooLarge;

/// Reason why an exchange failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CheckError {
    #[error("no connection: {0}")]
    Connect(io::Error),
    #[error("no response within {0:?}")]
    TimedOut(Duration),
    #[error("the connection broke: {0}")]
    Http1(#[from] hyper::Error),
    #[error("the connection broke: {0}")]
    Http2(#[from] h2::Error),
    #[error("no message in the response (status {0})")]
    NoMessage(StatusCode),
    #[error("status {0}")]
    Status(StatusCode),
    #[error("JSON-RPC error {code}: {message}")]
    JsonRpc { code: i64, message: String },
    #[error("the response has the id of another request")]
    WrongId,
    #[error("not a result of {0}")]
    WrongResult(&'static str),
    #[error("the URL cannot be sent")]
    Url,
    #[error(transparent)]
    TooLarge(#[from] TooLarge),
}

/// Bounds a step of an exchange.
pub(crate) async fn within<T>(
    limit: Duration,
    step: impl Future<Output = Result<T, CheckError>>,
) -> Result<T, CheckError> {
    timeout(limit, step).await.unwrap_or(Err(CheckError::TimedOut(limit)))
}
