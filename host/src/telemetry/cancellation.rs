//! What is left to a guest whose client has gone.
//!
//! A guest that has noticed has the whole grace, to run destructors and deferred work. One that
//! has not may still find out by its next write, so it may wait for that; but it does not get to
//! burn CPU, and the calls it has made to other servers are closed at once.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use tokio::sync::Notify;

/// How often a guest may be found busy, at the ticks after its client has gone, before it notices.
const BUSY_TICKS: u32 = 2;
/// The same for a guest of WASI 0.3, which is told: it may be at its destructors, on a busy machine.
const TOLD_TICKS: u32 = 10;

/// How a guest stands to its client, told by everyone who sees something of it.
#[derive(Default)]
pub(crate) struct Leash {
    answered: AtomicBool,
    gone: AtomicBool,
    noticed: AtomicBool,
    ticks: AtomicU32,
    request_cut: Notify,
    busy: Notify,
    calls: Notify,
}

impl Leash {
    /// The guest's head is on its way.
    pub(crate) fn answered(&self) {
        self.answered.store(true, Ordering::Relaxed);
    }

    /// The request body ended before its end; the guest was told.
    pub(crate) fn cut_request(&self) {
        self.request_cut.notify_one();
    }

    /// Resolves when the request body has ended before its end.
    pub(crate) async fn request_cut(&self) {
        self.request_cut.notified().await;
    }

    /// The client has gone: calls to other servers are closed.
    pub(crate) fn client_gone(&self) {
        self.gone.store(true, Ordering::SeqCst);
        self.calls.notify_waiters();
    }

    /// The guest knows that its client has gone.
    pub(crate) fn notice(&self) {
        self.noticed.store(true, Ordering::Relaxed);
    }

    /// Whether the client has gone and the guest does not know.
    pub(crate) fn is_unnoticed(&self) -> bool {
        self.gone.load(Ordering::Relaxed) && !self.noticed.load(Ordering::Relaxed)
    }

    /// A guest that has begun an answer and has none open is done with its client.
    pub(crate) fn no_open_answer(&self) {
        if self.answered.load(Ordering::Relaxed) {
            self.notice();
        }
    }

    /// The guest was found busy.
    pub(crate) fn tick(&self, is_told: bool) {
        let most = if is_told { TOLD_TICKS } else { BUSY_TICKS };
        if self.is_unnoticed() && self.ticks.fetch_add(1, Ordering::Relaxed) + 1 == most {
            self.busy.notify_one();
        }
    }

    /// Resolves when the guest has been busy for too long without noticing.
    pub(crate) async fn busy(&self) {
        self.busy.notified().await;
    }

    /// Whether the client has gone.
    pub(crate) fn is_gone(&self) -> bool {
        self.gone.load(Ordering::SeqCst)
    }

    /// Resolves when the client leaves a call to another server behind. One that was `begun_late`,
    /// for deferred work, is not the client's.
    pub(crate) async fn call_abandoned(&self, begun_late: bool) {
        // Listening begins before looking, so that nothing is missed in between.
        let abandoned = self.calls.notified();
        if begun_late || !self.is_gone() {
            abandoned.await;
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
    fn a_busy_guest_is_cut_once_its_client_has_gone() {
        let leash = Leash::default();
        (0..100).for_each(|_| leash.tick(false));
        assert!(!is_ready(leash.busy()), "its client is there");
        leash.client_gone();
        (0..BUSY_TICKS).for_each(|_| leash.tick(false));
        assert!(is_ready(leash.busy()));
    }

    #[test]
    fn one_that_was_told_has_longer() {
        let leash = Leash::default();
        leash.client_gone();
        (1..TOLD_TICKS).for_each(|_| leash.tick(true));
        assert!(!is_ready(leash.busy()), "at its destructors");
        leash.tick(true);
        assert!(is_ready(leash.busy()));
    }

    #[test]
    fn one_that_has_noticed_is_not() {
        let leash = Leash::default();
        leash.client_gone();
        leash.no_open_answer();
        assert!(leash.is_unnoticed(), "it has not even begun its answer");
        leash.answered();
        leash.no_open_answer();
        (0..100).for_each(|_| leash.tick(false));
        assert!(!is_ready(leash.busy()));
    }

    #[test]
    fn calls_in_flight_are_abandoned_and_later_ones_are_not() {
        let leash = Leash::default();
        assert!(!is_ready(leash.call_abandoned(false)));
        leash.client_gone();
        assert!(is_ready(leash.call_abandoned(false)), "not polled before");
        assert!(!is_ready(leash.call_abandoned(true)), "deferred work");
    }
}
