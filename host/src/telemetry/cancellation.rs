//! Cancellation of a guest whose client has disconnected.
//!
//! A guest that has noticed keeps the whole grace, for destructors and deferred work. A guest that has
//! not may still notice with its next write, so it may wait; but it may not burn CPU, and its calls to
//! other servers are closed at once.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use tokio::sync::Notify;

/// At how many ticks a guest may be found running, after its client has disconnected, before it
/// notices.
const UNNOTICED_TICKS: u32 = 2;
/// The same for a guest of WASI 0.3, which is notified: it may be running its destructors.
const NOTIFIED_TICKS: u32 = 10;

/// Whether the client of an exchange has disconnected, and whether the guest has noticed.
#[derive(Default)]
pub(crate) struct Cancellation {
    head_sent: AtomicBool,
    disconnected: AtomicBool,
    noticed: AtomicBool,
    ticks: AtomicU32,
    truncated: Notify,
    overrun: Notify,
    outbound: Notify,
}

impl Cancellation {
    /// The guest has sent the head of its response.
    pub(super) fn head_sent(&self) {
        self.head_sent.store(true, Ordering::Relaxed);
    }

    /// The request body was truncated, and the guest was notified.
    pub(super) fn request_truncated(&self) {
        self.truncated.notify_one();
    }

    /// Resolves when the request body was truncated.
    pub(crate) async fn truncated_request(&self) {
        self.truncated.notified().await;
    }

    /// The client has disconnected: calls to other servers are closed.
    pub(crate) fn client_disconnected(&self) {
        self.disconnected.store(true, Ordering::SeqCst);
        self.outbound.notify_waiters();
    }

    /// Whether the client has disconnected.
    pub(crate) fn is_disconnected(&self) -> bool {
        self.disconnected.load(Ordering::SeqCst)
    }

    /// The guest has noticed that its client has disconnected.
    pub(super) fn notice(&self) {
        self.noticed.store(true, Ordering::Relaxed);
    }

    /// Whether the client has disconnected and the guest has not noticed.
    pub(crate) fn is_unnoticed(&self) -> bool {
        self.disconnected.load(Ordering::Relaxed) && !self.noticed.load(Ordering::Relaxed)
    }

    /// The guest has no open response body. After the head this means that it is done with its client.
    pub(crate) fn no_open_body(&self) {
        if self.head_sent.load(Ordering::Relaxed) {
            self.notice();
        }
    }

    /// The guest was found running at a tick. `is_notified`: the host notifies it when the client
    /// disconnects.
    pub(crate) fn tick(&self, is_notified: bool) {
        let limit = if is_notified { NOTIFIED_TICKS } else { UNNOTICED_TICKS };
        if self.is_unnoticed() && self.ticks.fetch_add(1, Ordering::Relaxed) + 1 == limit {
            self.overrun.notify_one();
        }
    }

    /// Resolves when the guest has run for too long without noticing.
    pub(crate) async fn overrun(&self) {
        self.overrun.notified().await;
    }

    /// Resolves when a call to another server is to be closed, because the client has disconnected.
    /// Calls that `began_after` that are deferred work, and are not closed.
    pub(crate) async fn outbound_cancelled(&self, began_after: bool) {
        // Registered before the check, so that no notification is missed.
        let cancelled = self.outbound.notified();
        if began_after || !self.is_disconnected() {
            cancelled.await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        pin::pin,
        task::{Context, Waker},
    };

    use super::*;

    fn is_ready(future: impl Future<Output = ()>) -> bool {
        pin!(future).poll(&mut Context::from_waker(Waker::noop())).is_ready()
    }

    #[test]
    fn a_busy_guest_is_cut_after_its_client_disconnects() {
        let cancellation = Cancellation::default();
        (0..100).for_each(|_| cancellation.tick(false));
        assert!(!is_ready(cancellation.overrun()), "the client is still connected");
        cancellation.client_disconnected();
        (0..UNNOTICED_TICKS).for_each(|_| cancellation.tick(false));
        assert!(is_ready(cancellation.overrun()));
    }

    #[test]
    fn a_notified_guest_has_longer() {
        let cancellation = Cancellation::default();
        cancellation.client_disconnected();
        (1..NOTIFIED_TICKS).for_each(|_| cancellation.tick(true));
        assert!(!is_ready(cancellation.overrun()), "it may be running destructors");
        cancellation.tick(true);
        assert!(is_ready(cancellation.overrun()));
    }

    #[test]
    fn a_guest_that_has_noticed_is_not_cut() {
        let cancellation = Cancellation::default();
        cancellation.client_disconnected();
        cancellation.no_open_body();
        assert!(cancellation.is_unnoticed(), "it has not sent a head yet");
        cancellation.head_sent();
        cancellation.no_open_body();
        (0..100).for_each(|_| cancellation.tick(false));
        assert!(!is_ready(cancellation.overrun()));
    }

    #[test]
    fn calls_in_flight_are_closed_and_later_ones_are_not() {
        let cancellation = Cancellation::default();
        assert!(!is_ready(cancellation.outbound_cancelled(false)));
        cancellation.client_disconnected();
        assert!(is_ready(cancellation.outbound_cancelled(false)), "not polled before");
        assert!(!is_ready(cancellation.outbound_cancelled(true)), "deferred work");
    }
}
