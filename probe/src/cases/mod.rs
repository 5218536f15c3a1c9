//! Every way to go away, in the order in which the battery goes through them.

mod body;
mod connection;
mod http2;
mod reading;
mod waiting;

use super::{
    case::Case,
    wire::Leave::{Fin, Reset},
};

/// All cases. Their names are stable: people put them into scripts.
pub(super) const ALL: [Case; 27] = [
    Case::new("connect-and-leave", "connects, says nothing, leaves", |on| {
        Box::pin(body::silent(on))
    }),
    Case::new("head-cut-fin", "half of the request's head, then FIN", |on| {
        Box::pin(body::head_cut(on, Fin))
    }),
    Case::new("head-cut-rst", "half of the request's head, then RST", |on| {
        Box::pin(body::head_cut(on, Reset))
    }),
    Case::new("body-truncated-fin", "45 of 10000 bytes of the body, then FIN", |on| {
        Box::pin(body::truncated(on, Fin))
    }),
    Case::new("body-truncated-rst", "45 of 10000 bytes of the body, then RST", |on| {
        Box::pin(body::truncated(on, Reset))
    }),
    Case::new("body-truncated-half-close", "the same, but waits for an answer", |on| {
        Box::pin(body::half_closed(on))
    }),
    Case::new("body-stalled", "45 of 10000 bytes of the body, then silence", |on| {
        Box::pin(body::stalled(on))
    }),
    Case::new("chunk-cut-in-data", "a chunked body, cut in a chunk", |on| {
        Box::pin(body::chunk_cut_in_data(on))
    }),
    Case::new("chunk-cut-in-header", "a chunked body, cut in a chunk's length", |on| {
        Box::pin(body::chunk_cut_in_header(on))
    }),
    Case::new("chunk-cut-before-last", "a whole chunked body without its last chunk", |on| {
        Box::pin(body::chunk_cut_before_last(on))
    }),
    Case::new("before-head-fin", "a whole request, then FIN", |on| {
        Box::pin(waiting::before_head(on, Fin))
    }),
    Case::new("before-head-rst", "a whole request, then RST", |on| {
        Box::pin(waiting::before_head(on, Reset))
    }),
    Case::new("before-head-half-close", "a whole request, half-closed; waits", |on| {
        Box::pin(waiting::half_closed(on))
    }),
    Case::new("stream-fin", "FIN after the first event of a stream", |on| {
        Box::pin(waiting::in_stream(on, Fin))
    }),
    Case::new("stream-rst", "RST after the first event of a stream", |on| {
        Box::pin(waiting::in_stream(on, Reset))
    }),
    Case::new("between-head-and-body", "RST after the head of a large answer", |on| {
        Box::pin(reading::after_head(on))
    }),
    Case::new("stops-reading", "reads nothing of a large answer, then RST", |on| {
        Box::pin(reading::stops(on))
    }),
    Case::new("keep-alive-then-abort", "a good exchange, then a cut body", |on| {
        Box::pin(connection::keep_alive(on))
    }),
    Case::new("pipelined-then-abort", "five requests at once, then RST", |on| {
        Box::pin(connection::pipelined(on))
    }),
    Case::new("many-aborts", "300 aborts, 64 at a time, among 100 good exchanges", |on| {
        Box::pin(connection::many(on))
    }),
    Case::new("h2-body-reset", "HTTP/2: a stream reset in the request's body", |on| {
        Box::pin(http2::body_reset(on))
    }),
    Case::new("h2-body-lost", "HTTP/2: the connection reset in the request's body", |on| {
        Box::pin(http2::body_lost(on))
    }),
    Case::new("h2-before-head", "HTTP/2: a stream reset before the answer", |on| {
        Box::pin(http2::before_head(on))
    }),
    Case::new("h2-stream", "HTTP/2: a stream reset after the first event", |on| {
        Box::pin(http2::in_stream(on))
    }),
    Case::new("h2-stops-reading", "HTTP/2: no window for a large answer, then a reset", |on| {
        Box::pin(http2::stops_reading(on))
    }),
    Case::new("h2-many-resets", "HTTP/2: 100 streams reset on one connection", |on| {
        Box::pin(http2::many_resets(on))
    }),
    Case::new("settled", "once all work begun above must be over", |on| {
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
