//! Fairness: guests that burn CPU do not hold up exchanges that have just begun.
//!
//! A guest yields at every tick. Without more, a thread with many busy guests would run each of them for a
//! tick before it looks at a new request again. So a guest that has run for some ticks takes turns with
//! the others of its kind: only one of them at a time is ready to run on a thread.

use std::{
    future::poll_fn,
    pin::pin,
    sync::{Arc, Mutex, PoisonError},
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
pub(crate) struct Turn(Arc<Mutex<Option<OwnedSemaphorePermit>>>);

impl Turn {
    /// Lets other tasks run at the tick of a guest that has run for `ticks`.
    ///
    /// tokio's own yield polls the sockets before the guest goes on: when every thread runs a busy guest,
    /// nothing else would notice that a client has disconnected.
    pub(super) async fn yield_at_tick(self, ticks: u32) {
        self.set(None);
        tokio::task::yield_now().await;
        if ticks > FRESH_TICKS {
            let turn = TURN.with(Arc::clone).acquire_owned().await;
            // The semaphore is never closed.
            self.set(turn.ok());
        }
    }

    /// Runs the task of a guest. Whenever it waits, others have their turn.
    pub(crate) async fn run<F: Future>(self, task: F) -> F::Output {
        let mut task = pin!(task);
        poll_fn(|cx| {
            let polled = task.as_mut().poll(cx);
            self.set(None);
            polled
        })
        .await
    }

    fn set(&self, turn: Option<OwnedSemaphorePermit>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = turn;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    /// Busy for ten ticks. Counts those that are ready to run after each.
    async fn busy(ready: Arc<AtomicU32>) -> u32 {
        let turn = Turn::default();
        let ticks = turn.clone();
        let task = async move {
            let mut most = 0;
            for tick in 1..=10 {
                ready.fetch_add(1, Ordering::Relaxed);
                if tick > FRESH_TICKS + 1 {
                    most = most.max(ready.load(Ordering::Relaxed));
                }
                ready.fetch_sub(1, Ordering::Relaxed);
                ticks.clone().yield_at_tick(tick).await;
            }
            most
        };
        turn.run(task).await
    }

    #[tokio::test]
    async fn busy_guests_take_turns_and_all_come_to_their_end() {
        let ready = Arc::<AtomicU32>::default();
        let guests: Vec<_> = (0..20).map(|_| tokio::spawn(busy(Arc::clone(&ready)))).collect();
        for guest in guests {
            assert_eq!(guest.await.ok(), Some(1));
        }
        assert_eq!(TURN.with(|turn| turn.available_permits()), 1);
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
