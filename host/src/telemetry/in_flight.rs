//! The guard that keeps a connection and its server open while an exchange runs.

use std::{convert::Infallible, sync::Arc};

use tokio::sync::mpsc;

use super::liveness::{CloseReason, Liveness};

/// Held by an exchange while it runs: its connection does not count as idle, and its server does not
/// count as drained.
pub(crate) struct InFlightGuard {
    liveness: Arc<Liveness>,
    _server: mpsc::Sender<Infallible>,
}

impl InFlightGuard {
    pub(crate) fn new(liveness: &Arc<Liveness>, server: &mpsc::Sender<Infallible>) -> Self {
        liveness.begin_exchange();
        Self { liveness: Arc::clone(liveness), _server: server.clone() }
    }

    /// The request was read to its end: the client may close its sending side.
    pub(super) fn request_read(&self) {
        self.liveness.request_read();
    }

    /// Says whether a piece of the response is waiting for the client to receive it.
    pub(super) fn response_waits(&self, exchange: u64, waits: bool) {
        self.liveness.response_waits(exchange, waits);
    }

    /// Returns why the host has closed the connection, if it has.
    pub(super) fn close_reason(&self) -> Option<CloseReason> {
        self.liveness.close_reason()
    }
}

#[cfg(test)]
impl InFlightGuard {
    pub(super) fn for_test() -> Self {
        Self::new(&Liveness::new(), &mpsc::channel(1).0)
    }
}

impl Drop for InFlightGuard {
    fn drop(&mut self) {
        self.liveness.end_exchange();
    }
}
