//! Server-sent events: how messages travel on a stream.

use http::StatusCode;

use super::transport::ResponseHead;
use crate::fields::Fields;

/// What keeps proxies from closing a silent stream; clients skip it.
pub(crate) const KEEP_ALIVE: &str = ": keep-alive\n\n";

/// One message as an event, on one line of data. Line breaks can only be white space in JSON:
/// inside of strings they are escaped.
pub(crate) fn event(json: &str) -> String {
    const BREAKS: [char; 2] = ['\r', '\n'];
    if json.contains(BREAKS) {
        return event(&json.replace(BREAKS, " "));
    }
    ["event: message\ndata: ", json, "\n\n"].concat()
}

/// The head of a stream.
pub(crate) fn head() -> ResponseHead {
    let mut headers = Fields::default();
    headers.push("content-type", "text/event-stream");
    headers.push("cache-control", "no-cache, no-store");
    headers.push("x-accel-buffering", "no");
    ResponseHead { status: StatusCode::OK, headers }
}
