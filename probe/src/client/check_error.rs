//! What can be wrong with an exchange that should be right.

use std::{io, time::Duration};

use http::StatusCode;

use super::reply::TooLarge;

/// Why an exchange was not what it should be.
#[derive(Debug, thiserror::Error)]
pub(super) enum Wrong {
    #[error("no connection: {0}")]
    Connect(io::Error),
    #[error("no answer within {0:?}")]
    Late(Duration),
    #[error("the connection broke: {0}")]
    Broke(#[from] hyper::Error),
    #[error("the connection broke: {0}")]
    BrokeHttp2(#[from] h2::Error),
    #[error("no message in the answer (status {0})")]
    NoMessage(StatusCode),
    #[error("status {0}")]
    Status(StatusCode),
    #[error("JSON-RPC error {code}: {message}")]
    Refused { code: i64, message: String },
    #[error("not the answer to this request")]
    OtherId,
    #[error("not a result of {0}")]
    OtherResult(&'static str),
    #[error("the URL cannot be sent")]
    Url,
    #[error(transparent)]
    TooLarge(#[from] TooLarge),
}
