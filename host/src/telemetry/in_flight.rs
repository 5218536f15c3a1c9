//! The guard that keeps a connection and its server open while an exchange runs.

use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::sync::mpsc;

use super::liveness::{CloseReason, Liveness};

/// Held by an exchange while it runs: its connection does not count as idle, and its server does not
/// count as drained.
pub(crate) struct InFlightGuard {
    liveness: Arc<Liveness>,
    is_receiving: AtomicBool,
    _server: mpsc::Sender<Infallible>,
}

impl InFlightGuard {
    pub(crate) fn new(liveness: &Arc<Liveness>, server: &mpsc::Sender<Infallible>) -> Self {
        liveness.begin_exchange();
        let is_receiving = AtomicBool::new(true);
        Self { liveness: Arc::clone(liveness), is_receiving, _server: server.clone() }
    }

    /// The request was read to its end: the client may close its sending side.
    pub(super) fn request_read(&self) {
        self.liveness.request_read();
        self.end_receiving();
    }

    fn end_receiving(&self) {
        if self.is_receiving.swap(false, Ordering::Relaxed) {
            self.liveness.end_receiving();
        }
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
        self.end_receiving();
        self.liveness.end_exchange();
    }
}
