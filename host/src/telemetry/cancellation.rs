//! What a guest may still do once its client has no more use for it.
//!
//! This is the one place where it is known that a client has disconnected. Every part of the host that
//! finds out reports it here, and the first report counts; every part that has to act on it waits here.
//!
//! A guest that has noticed keeps the whole grace, for destructors and deferred work. A guest that has
//! not may still notice with its next write, so it may wait; but it may not burn CPU, and its calls to
//! other servers are closed at once.

use std::{
    future::pending,
    sync::{
        OnceLock,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
};

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// At how many ticks a guest may be found running, after its client has disconnected, before it
/// notices. On a busy machine several ticks pass while a guest gets no CPU, and a guest of WASI 0.3,
/// which is notified, may be running its destructors.
const UNNOTICED_TICKS: u32 = 10;

/// Why a client has no more use for a guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Release {
    /// It has the whole response.
    Complete,
    /// It has disconnected.
    Disconnected,
}

/// Whether the client of an exchange has released its guest, and whether the guest has noticed.
#[derive(Default)]
pub(crate) struct Cancellation {
    release: OnceLock<Release>,
    released: CancellationToken,
    runs_to_completion: AtomicBool,
    head_sent: AtomicBool,
    noticed: AtomicBool,
    ticks: AtomicU32,
    overrun: Notify,
}

impl Cancellation {
    /// The client has no more use for the guest. The first reason counts.
    pub(crate) fn release(&self, reason: Release) {
        if self.release.set(reason).is_ok() {
            self.released.cancel();
        }
    }

    /// Resolves when the client has no more use for the guest.
    pub(crate) async fn released(&self) -> Release {
        loop {
            self.released.cancelled().await;
            // Set before the token is cancelled.
            if let Some(reason) = self.release.get() {
                return *reason;
            }
        }
    }

    /// Returns a token for a call of the guest. It is cancelled at the latest when the client has
    /// no more use for the guest.
    pub(crate) fn call_token(&self) -> CancellationToken {
        self.released.child_token()
    }

    /// The guest has sent the head of its response.
    pub(super) fn head_sent(&self) {
        self.head_sent.store(true, Ordering::Relaxed);
    }

    /// The guest has asked not to be cut.
    pub(super) fn run_to_completion(&self) {
        self.runs_to_completion.store(true, Ordering::Relaxed);
    }

    /// Whether the guest has asked not to be cut.
    pub(crate) fn runs_to_completion(&self) -> bool {
        self.runs_to_completion.load(Ordering::Relaxed)
    }

    /// Whether the client has disconnected, and the guest has not asked to go on.
    pub(crate) fn is_disconnected(&self) -> bool {
        self.release.get() == Some(&Release::Disconnected) && !self.runs_to_completion()
    }

    /// The guest has noticed that its client has disconnected.
    pub(super) fn notice(&self) {
        self.noticed.store(true, Ordering::Relaxed);
    }

    /// Whether the client has disconnected and the guest has not noticed.
    pub(crate) fn is_unnoticed(&self) -> bool {
        self.is_disconnected() && !self.noticed.load(Ordering::Relaxed)
    }

    /// The guest has no open response body. After the head this means that it is done with its client.
    pub(crate) fn no_open_body(&self) {
        if self.head_sent.load(Ordering::Relaxed) {
            self.notice();
        }
    }

    /// The guest was found running at a tick.
    pub(crate) fn tick(&self) {
        if self.is_unnoticed() && self.ticks.fetch_add(1, Ordering::Relaxed) + 1 == UNNOTICED_TICKS
        {
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
        if !began_after {
            self.released().await;
            if self.is_disconnected() {
                return;
            }
        }
        pending::<()>().await;
    }
}

#[cfg(test)]
mod tests {
    use std::{
        pin::pin,
        task::{Context, Waker},
    };

    use super::*;

    fn is_ready<T>(future: impl Future<Output = T>) -> bool {
        pin!(future).poll(&mut Context::from_waker(Waker::noop())).is_ready()
    }

    #[tokio::test]
    async fn the_first_reason_counts() {
        let cancellation = Cancellation::default();
        assert!(!is_ready(cancellation.released()));
        let call = cancellation.call_token();
        cancellation.release(Release::Complete);
        cancellation.release(Release::Disconnected);
        assert_eq!(cancellation.released().await, Release::Complete);
        assert!(!cancellation.is_disconnected() && call.is_cancelled());
    }

    #[test]
    fn a_call_that_ends_by_itself_is_not_the_end_of_its_exchange() {
        let cancellation = Cancellation::default();
        cancellation.call_token().cancel();
        assert!(!is_ready(cancellation.released()));
    }

    #[test]
    fn a_busy_guest_is_cut_after_its_client_disconnects() {
        let cancellation = Cancellation::default();
        (0..100).for_each(|_| cancellation.tick());
        assert!(!is_ready(cancellation.overrun()), "the client is still connected");
        cancellation.release(Release::Disconnected);
        (1..UNNOTICED_TICKS).for_each(|_| cancellation.tick());
        assert!(!is_ready(cancellation.overrun()), "it may be running destructors");
        cancellation.tick();
        assert!(is_ready(cancellation.overrun()));
    }

    #[test]
    fn a_guest_that_has_noticed_is_not_cut() {
        let cancellation = Cancellation::default();
        cancellation.release(Release::Disconnected);
        cancellation.no_open_body();
        assert!(cancellation.is_unnoticed(), "it has not sent a head yet");
        cancellation.head_sent();
        cancellation.no_open_body();
        (0..100).for_each(|_| cancellation.tick());
        assert!(!is_ready(cancellation.overrun()));
    }

    #[test]
    fn a_guest_that_has_asked_for_it_goes_on() {
        let cancellation = Cancellation::default();
        cancellation.run_to_completion();
        cancellation.release(Release::Disconnected);
        (0..100).for_each(|_| cancellation.tick());
        assert!(!is_ready(cancellation.overrun()));
        assert!(!is_ready(cancellation.outbound_cancelled(false)));
    }

    #[test]
    fn calls_in_flight_are_closed_and_later_ones_are_not() {
        let cancellation = Cancellation::default();
        assert!(!is_ready(cancellation.outbound_cancelled(false)));
        cancellation.release(Release::Disconnected);
        assert!(is_ready(cancellation.outbound_cancelled(false)), "not polled before");
        assert!(!is_ready(cancellation.outbound_cancelled(true)), "deferred work");
    }

    #[test]
    fn calls_go_on_after_a_complete_response() {
        let cancellation = Cancellation::default();
        cancellation.release(Release::Complete);
        assert!(!is_ready(cancellation.outbound_cancelled(false)));
    }
}
