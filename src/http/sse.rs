//! Server-sent events: how messages travel on a stream.

use http::header::{self, HeaderName, HeaderValue};
use http::{HeaderMap, StatusCode};

use super::transport::ResponseHead;

/// What keeps proxies from closing a silent stream; clients skip it.
pub(crate) const KEEP_ALIVE: &str = ": keep-alive\n\n";

const ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// One message as an event. `json` is compact, so it holds no line break.
pub(crate) fn event(json: &str) -> String {
    ["event: message\ndata: ", json, "\n\n"].concat()
}

/// The head of a stream.
pub(crate) fn head() -> ResponseHead {
    let headers = HeaderMap::from_iter([
        (header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache, no-store")),
        (ACCEL_BUFFERING, HeaderValue::from_static("no")),
    ]);
    ResponseHead { status: StatusCode::OK, headers }
}
