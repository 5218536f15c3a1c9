//! What the server says about an exchange to its host, in headers of the answer.

/// Facts about the exchange for one log line: a [`Record`](crate::message::Record), in the head of
/// the answer, and in the trailers of a stream its outcome. The `midge` host reads and strips them;
/// other hosts pass them on, which tells clients nothing they do not know.
pub(crate) const HEADER: &str = "midge-exchange";

/// Says that the host must not cut this exchange when the client goes away.
pub(crate) const RUN_TO_COMPLETION: &str = "midge-run-to-completion";
