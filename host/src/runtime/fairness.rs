//! Fairness: guests that burn CPU do not hold up exchanges that have just begun.
//!
//! A guest yields at every tick. Without more, a thread with many busy guests would run each of them for a
//! tick before it looks at a new request again. So a guest that has run for some ticks takes turns with
//! the others of its kind: only one of them at a time is ready to run on a thread.

use std::{
    future::poll_fn,
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// After so many ticks, which are 10 ms each, a guest takes turns.
const FRESH_TICKS: u32 = 2;

thread_local! {
    /// The turn of this thread.
    static TURN: Arc<Semaphore> = Arc::new(Semaphore::new(1));
}

/// The turn of a guest, while it has it.
#[derive(Clone, Default)]
pub(crate) struct Turn(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    /// When the task was polled last.
    polled: Option<Instant>,
    permit: Option<OwnedSemaphorePermit>,
    /// Whether the guest waits only because it was interrupted.
    is_interrupted: bool,
}

impl Turn {
    /// Lets other tasks run at the tick of a guest that has run for `ticks`.
    ///
    /// tokio's own yield polls the sockets before the guest goes on: when every thread runs a busy guest,
    /// nothing else would notice that a client has disconnected. The turn is passed on after that. Before,
    /// one busy guest would wake the next, and no socket would be polled in between.
    pub(super) async fn yield_at_tick(self, ticks: u32) {
        self.state().is_interrupted = true;
        tokio::task::yield_now().await;
        {
            let mut state = self.state();
            state.is_interrupted = false;
            state.permit = None;
        }
        if ticks > FRESH_TICKS {
            // The semaphore is never closed.
            let permit = TURN.with(Arc::clone).acquire_owned().await.ok();
            self.state().permit = permit;
        }
    }

    /// Runs the task of a guest. When the guest waits for something, others have their turn.
    pub(crate) async fn run<F: Future>(self, task: F) -> F::Output {
        let mut task = pin!(task);
        poll_fn(|cx| {
            self.state().polled = Some(Instant::now());
            let polled = task.as_mut().poll(cx);
            let mut state = self.state();
            if !state.is_interrupted {
                state.permit = None;
            }
            polled
        })
        .await
    }

    /// Returns for how long the task has been running without a pause.
    pub(super) fn polled_for(&self) -> Duration {
        self.state().polled.map_or(Duration::MAX, |polled| polled.elapsed())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[tokio::test]
    async fn busy_guests_all_come_to_their_end() {
        let busy = |_| {
            let turn = Turn::default();
            let ticks = turn.clone();
            tokio::spawn(turn.run(async move {
                for tick in 1..=10 {
                    ticks.clone().yield_at_tick(tick).await;
                }
            }))
        };
        for guest in (0..20).map(busy).collect::<Vec<_>>() {
            assert!(guest.await.is_ok());
        }
        assert_eq!(TURN.with(|turn| turn.available_permits()), 1);
    }

    #[tokio::test]
    async fn a_guest_that_waits_gives_up_its_turn() {
        let (turn, other) = (Turn::default(), Turn::default());
        let ticks = turn.clone();
        let waiting = tokio::spawn(turn.run(async move {
            ticks.yield_at_tick(FRESH_TICKS + 1).await;
            std::future::pending::<()>().await;
        }));
        for _ in 0..3 {
            tokio::task::yield_now().await;
        }
        other.yield_at_tick(FRESH_TICKS + 1).await;
        waiting.abort();
    }

    #[tokio::test]
    async fn a_fresh_guest_goes_before_busy_ones() {
        let busy: Vec<_> = (0..50)
            .map(|_| {
                let turn = Turn::default();
                let ticks = turn.clone();
                tokio::spawn(turn.run(async move {
                    loop {
                        ticks.clone().yield_at_tick(FRESH_TICKS + 1).await;
                        TURNS.fetch_add(1, Ordering::Relaxed);
                    }
                }))
            })
            .collect();
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
        let before = TURNS.load(Ordering::Relaxed);
        Turn::default().yield_at_tick(1).await;
        let passed = TURNS.load(Ordering::Relaxed) - before;
        assert!(passed <= 2, "{passed} busy guests ran before");
        busy.iter().for_each(tokio::task::JoinHandle::abort);
    }

    static TURNS: AtomicU32 = AtomicU32::new(0);
}
