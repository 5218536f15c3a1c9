//! Guards that keep a connection and its server open while an exchange runs.

use std::{convert::Infallible, sync::Arc};

use tokio::sync::mpsc;

use super::liveness::{Closed, Pulse};

/// Held by an exchange for as long as it lasts: its connection is not idle and its server is not
/// drained before.
pub(crate) struct InFlightGuard {
    pulse: Arc<Pulse>,
    _server: mpsc::Sender<Infallible>,
}

impl InFlightGuard {
    pub(crate) fn new(pulse: &Arc<Pulse>, server: &mpsc::Sender<Infallible>) -> Self {
        pulse.exchange_begins();
        Self { pulse: Arc::clone(pulse), _server: server.clone() }
    }

    /// The client's sending side may end without anything being lost.
    pub(crate) fn request_is_read(&self) {
        self.pulse.request_is_read();
    }

    /// The guest asks for more of the request, and may have to wait for it.
    pub(crate) fn request_is_asked_for(&self, waits: bool) {
        self.pulse.request_is_asked_for(waits);
    }

    /// The guest was told that the request is not whole.
    pub(crate) fn request_is_cut(&self) {
        self.pulse.request_is_cut();
    }

    /// A piece of an answer waits to be taken, or none does.
    pub(crate) fn waits(&self, exchange: u64, waits: bool) {
        self.pulse.waits(exchange, waits);
    }

    /// Why the host closed the connection, if it was the host.
    pub(crate) fn closed_by_host(&self) -> Option<Closed> {
        self.pulse.closed()
    }
}

#[cfg(test)]
impl InFlightGuard {
    pub(crate) fn for_test() -> Self {
        Self::new(&Pulse::new(), &mpsc::channel(1).0)
    }
}

impl Drop for InFlightGuard {
    fn drop(&mut self) {
        self.pulse.exchange_ends();
    }
}
