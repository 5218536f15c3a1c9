//! Futures that run side by side on one thread.

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;

pub(super) type Task<'t> = Pin<Box<dyn Future<Output = ()> + 't>>;

/// What a connection is at work on. All of it is one task for the runtime, and polled together: it
/// is one client's, and its number is bounded.
#[derive(Default)]
pub(super) struct Tasks<'t>(RefCell<Vec<Task<'t>>>);

impl<'t> Tasks<'t> {
    pub(super) fn len(&self) -> usize {
        self.0.borrow().len()
    }

    pub(super) fn push(&self, task: Task<'t>) {
        self.0.borrow_mut().push(task);
    }

    /// Lets all of them run, for ever.
    pub(super) async fn run<T>(&self) -> T {
        poll_fn(|cx| {
            let mut tasks = self.0.borrow_mut();
            let before = tasks.len();
            tasks.retain_mut(|task| task.as_mut().poll(cx).is_pending());
            if tasks.len() < before {
                // For whoever waits until there are none.
                cx.waker().wake_by_ref();
            }
            Poll::Pending
        })
        .await
    }

    /// Waits until all of them are done.
    pub(super) async fn idle(&self) {
        poll_fn(|_| if self.0.borrow().is_empty() { Poll::Ready(()) } else { Poll::Pending }).await;
    }
}
