//! A response that is complete before its first byte is sent.

use http::StatusCode;
use midge_contract::Outcome;

use super::transport::ResponseHead;
use crate::headers::map::Fields;

/// Status, headers and body.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: Fields,
    pub(crate) body: String,
    pub(crate) outcome: Outcome,
    /// What the log should know and the client should not.
    pub(crate) cause: Option<String>,
}

impl Reply {
    /// A reply without a body.
    pub(crate) fn empty(status: StatusCode, outcome: Outcome) -> Self {
        Self { status, headers: Fields::default(), body: String::new(), outcome, cause: None }
    }

    /// A JSON reply, not to be stored: the protocol's own cache hints are in the body.
    pub(crate) fn json(status: StatusCode, body: String, outcome: Outcome) -> Self {
        Self { body, ..Self::empty(status, outcome) }
            .with("content-type", "application/json")
            .with("cache-control", "no-store")
    }

    pub(crate) fn with(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers.push(name, value);
        self
    }

    pub(crate) fn into_head(self) -> (ResponseHead, String) {
        let Self { status, headers, body, .. } = self;
        (ResponseHead { status, headers }, body)
    }
}
