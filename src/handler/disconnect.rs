//! Results of operations on a client's streams: a value, or the client has disconnected.

use std::ops::ControlFlow;

/// Result of an operation on a client's streams: its value, or the end of the exchange.
///
/// Not a `Result`: there is no error to unwrap or to report to a client that has disconnected, and
/// `?` leaves the exchange.
pub(crate) type Flow<T = ()> = ControlFlow<ClientGone, T>;

/// The client has disconnected: an ordinary end of an exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ClientGone {
    /// Error of the stream, in one line.
    pub(crate) cause: String,
}

impl ClientGone {
    /// Keeps the first line: hosts may put a whole backtrace after it.
    pub(crate) fn new(cause: &str) -> Self {
        Self { cause: cause.lines().next().unwrap_or_default().to_owned() }
    }
}
