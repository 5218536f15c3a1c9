//! The trait through which a connection reads and writes lines.

use std::task::{Context as TaskContext, Poll};

use crate::handler::context::Clock;
use crate::handler::disconnect::Flow;
use crate::handler::outbox::Outbox;
use crate::handler::panic_attribution::PanicAttribution;

/// The two streams of a connection, the clock beside them, and a place for log lines.
///
/// Polled, since reading and writing go on at the same time, on one thread. After an operation
/// broke off, none of them is called again.
pub(crate) trait Streams {
    /// The next piece of the input, never empty; `None` at its end.
    fn poll_read(&self, cx: &mut TaskContext<'_>) -> Poll<Flow<Option<Vec<u8>>>>;

    /// Begins to write a line, when the last one is out.
    fn begin_line(&self, line: &str);

    /// Writes on. Ready when the line is out.
    fn poll_write(&self, cx: &mut TaskContext<'_>) -> Poll<Flow>;

    /// Lines on their way to the client. The panic hook writes those that are left.
    fn outbox(&self) -> &Outbox;

    /// Waits.
    fn clock(&self) -> Clock;

    /// The request to answer if the guest panics.
    fn panic_attribution(&self) -> &PanicAttribution;

    /// Writes a line to the server's log.
    fn log(&self, line: &str);
}
