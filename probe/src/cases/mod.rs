//! The cases of the battery, in the order in which they run.

mod connection;
mod http2;
mod reading;
mod request_body;
mod waiting;

use crate::{
    case::Case,
    client::disconnect::Disconnect::{Fin, Reset},
};

/// Every case. The names are stable: scripts use them.
pub(crate) const ALL: [Case; 27] = [
    Case::new("connect-and-leave", "connects, sends nothing, disconnects", |on| {
        Box::pin(request_body::silent(on))
    }),
    Case::new("head-cut-fin", "half of the request's head, then FIN", |on| {
        Box::pin(request_body::head_cut(on, Fin))
    }),
    Case::new("head-cut-rst", "half of the request's head, then RST", |on| {
        Box::pin(request_body::head_cut(on, Reset))
    }),
    Case::new("body-truncated-fin", "45 of 10000 bytes of the body, then FIN", |on| {
        Box::pin(request_body::truncated(on, Fin))
    }),
    Case::new("body-truncated-rst", "45 of 10000 bytes of the body, then RST", |on| {
        Box::pin(request_body::truncated(on, Reset))
    }),
    Case::new("body-truncated-half-close", "the same with FIN, but waits for a response", |on| {
        Box::pin(request_body::half_closed(on))
    }),
    Case::new("body-stalled", "45 of 10000 bytes of the body, then nothing", |on| {
        Box::pin(request_body::stalled(on))
    }),
    Case::new("chunk-cut-in-data", "a chunked body, cut in a chunk's data", |on| {
        Box::pin(request_body::chunk_cut_in_data(on))
    }),
    Case::new("chunk-cut-in-header", "a chunked body, cut in a chunk's length", |on| {
        Box::pin(request_body::chunk_cut_in_header(on))
    }),
    Case::new("chunk-cut-before-last", "a complete chunked body without its last chunk", |on| {
        Box::pin(request_body::chunk_cut_before_last(on))
    }),
    Case::new("before-head-fin", "a complete request, then FIN", |on| {
        Box::pin(waiting::before_head(on, Fin))
    }),
    Case::new("before-head-rst", "a complete request, then RST", |on| {
        Box::pin(waiting::before_head(on, Reset))
    }),
    Case::new("before-head-half-close", "a complete request, then FIN; waits", |on| {
        Box::pin(waiting::half_closed(on))
    }),
    Case::new("stream-fin", "FIN after the first event of a stream", |on| {
        Box::pin(waiting::in_stream(on, Fin))
    }),
    Case::new("stream-rst", "RST after the first event of a stream", |on| {
        Box::pin(waiting::in_stream(on, Reset))
    }),
    Case::new("between-head-and-body", "RST after the head of a large response", |on| {
        Box::pin(reading::after_head(on))
    }),
    Case::new("stops-reading", "reads nothing of a large response, then RST", |on| {
        Box::pin(reading::stops(on))
    }),
    Case::new("keep-alive-then-abort", "a complete exchange, then a truncated body", |on| {
        Box::pin(connection::keep_alive(on))
    }),
    Case::new("pipelined-then-abort", "five requests at once, then RST", |on| {
        Box::pin(connection::pipelined(on))
    }),
    Case::new("many-aborts", "300 aborts, 64 at a time, among 100 checks", |on| {
        Box::pin(connection::many(on))
    }),
    Case::new("h2-body-reset", "HTTP/2: a stream reset in the request's body", |on| {
        Box::pin(http2::body_reset(on))
    }),
    Case::new("h2-body-lost", "HTTP/2: the connection reset in the request's body", |on| {
        Box::pin(http2::body_lost(on))
    }),
    Case::new("h2-before-head", "HTTP/2: a stream reset before the response", |on| {
        Box::pin(http2::before_head(on))
    }),
    Case::new("h2-stream", "HTTP/2: a stream reset after the first event", |on| {
        Box::pin(http2::in_stream(on))
    }),
    Case::new("h2-stops-reading", "HTTP/2: no window for a large response, then a reset", |on| {
        Box::pin(http2::stops_reading(on))
    }),
    Case::new("h2-many-resets", "HTTP/2: 100 streams reset on one connection", |on| {
        Box::pin(http2::many_resets(on))
    }),
    Case::new("settled", "waits until the tools of earlier cases must have ended", |on| {
        Box::pin(waiting::settled(on))
    }),
];

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_are_unique_and_kebab_case() {
        let names: HashSet<_> = ALL.iter().map(|case| case.name).collect();
        assert_eq!(names.len(), ALL.len());
        let is_kebab = |name: &&str| {
            name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
        };
        assert_eq!(names.iter().find(|name| !is_kebab(name)), None);
    }
}
