//! The end of a client, as everything that reads from it or writes to it sees it.

use std::ops::ControlFlow;

/// What every operation on a client's streams gives: its value, or the end of the exchange.
///
/// Not a `Result`, on purpose: there is nothing to unwrap, nothing to report to a client that is
/// not there, and `?` leads out of the exchange.
pub(crate) type Flow<T = ()> = ControlFlow<ClientGone, T>;

/// The client is gone: an ordinary end of an exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ClientGone {
    /// What the stream said, one line.
    pub(crate) cause: String,
}

impl ClientGone {
    /// Keeps the first line: hosts may put a whole backtrace after it.
    pub(crate) fn new(cause: &str) -> Self {
        Self { cause: cause.lines().next().unwrap_or_default().to_owned() }
    }
}
