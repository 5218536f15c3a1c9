//! Server-sent events: how messages travel on a stream.

use http::StatusCode;

use super::transport::ResponseHead;
use crate::headers::map::Fields;
use crate::protocol::jsonrpc::on_one_line;

/// What keeps proxies from closing a silent stream; clients skip it.
pub(crate) const KEEP_ALIVE: &str = ": keep-alive\n\n";

/// One message as an event, on one line of data.
pub(crate) fn event(json: &str) -> String {
    ["event: message\ndata: ", &*on_one_line(json), "\n\n"].concat()
}

/// The head of a stream.
pub(crate) fn head() -> ResponseHead {
    let mut headers = Fields::default();
    headers.push("content-type", "text/event-stream");
    headers.push("cache-control", "no-cache, no-store");
    headers.push("x-accel-buffering", "no");
    ResponseHead { status: StatusCode::OK, headers }
}
