//! Tasks that outlive the future that began them.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use tokio::runtime::Handle;

use crate::runtime::instance::{GuestExit, GuestTask};

/// Runs a guest in a task of its own once it is dropped.
///
/// It is dropped when the client disconnects before the head. The guest is then notified, and exits
/// by itself.
pub(super) struct DetachOnDrop(Option<GuestTask>);

impl DetachOnDrop {
    pub(super) fn new(task: GuestTask) -> Self {
        Self(Some(task))
    }
}

impl Future for DetachOnDrop {
    type Output = GuestExit;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<GuestExit> {
        let Some(task) = &mut self.0 else { return Poll::Pending };
        let polled = task.as_mut().poll(cx);
        if polled.is_ready() {
            self.0 = None;
        }
        polled
    }
}

impl Drop for DetachOnDrop {
    fn drop(&mut self) {
        if let (Some(task), Ok(runtime)) = (self.0.take(), Handle::try_current()) {
            runtime.spawn(task);
        }
    }
}
