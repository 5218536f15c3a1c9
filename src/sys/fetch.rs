//! Errors and limits of outbound HTTP calls.

use http::header::CONTENT_LENGTH;
use http::{Method, Request};

/// Most bytes of an answer that `fetch` takes.
pub(crate) const MAX_BODY: usize = 8 << 20;

/// Why there is no answer of another server.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// The host of this component does not let it call that server.
    #[error("the operator of this server does not allow to call that host")]
    Denied,
    /// This is no request that can be sent: of its URI, its method or a header.
    #[error("not a request that can be sent: {0}")]
    Invalid(&'static str),
    /// The answer has more than 8 MiB.
    #[error("the answer has more than {} bytes", MAX_BODY)]
    TooLarge,
    /// The server was not reached, or did not answer as it should; the host's own words.
    #[error("{0}")]
    Failed(String),
    /// There is no outbound HTTP outside a component.
    #[error("there is no outbound HTTP in native code, only in a component")]
    Native,
}

/// Says how long the body is, where there is one or might be; it would be sent in chunks, which not
/// every server takes.
pub(crate) fn with_length(mut request: Request<Vec<u8>>) -> Request<Vec<u8>> {
    let length = request.body().len();
    // RFC 9110, section 8.6: of these, also that there is none.
    let is_expected = [Method::POST, Method::PUT, Method::PATCH].contains(request.method());
    if (length > 0 || is_expected) && !request.headers().contains_key(CONTENT_LENGTH) {
        // A request with more header fields than fit goes without.
        let _ = request.headers_mut().try_insert(CONTENT_LENGTH, length.into());
    }
    request
}
