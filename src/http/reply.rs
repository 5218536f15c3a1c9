//! A whole answer that is known before its first byte goes out.

use http::header::{self, HeaderName, HeaderValue};
use http::{HeaderMap, StatusCode};

use super::transport::ResponseHead;
use crate::outcome::Outcome;

/// Status, headers and body.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
    pub(crate) outcome: Outcome,
}

impl Reply {
    /// A reply without a body.
    pub(crate) fn empty(status: StatusCode, outcome: Outcome) -> Self {
        Self { status, headers: HeaderMap::new(), body: String::new(), outcome }
    }

    /// A JSON reply, not to be stored: the protocol's own cache hints are in the body.
    pub(crate) fn json(status: StatusCode, body: String, outcome: Outcome) -> Self {
        Self { body, ..Self::empty(status, outcome) }
            .with(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))
            .with(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))
    }

    pub(crate) fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// The head with its `Content-Length`, which spares client and server the chunks.
    pub(crate) fn into_head(self) -> (ResponseHead, String) {
        let Self { status, mut headers, body, .. } = self;
        if status != StatusCode::NO_CONTENT {
            headers.insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
        }
        (ResponseHead { status, headers }, body)
    }
}
