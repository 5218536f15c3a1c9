//! A handler at work, and the clocks beside it.

use std::future::poll_fn;
use std::task::{Context as TaskContext, Poll};
use std::time::{Duration, Instant};

use futures_lite::future::or;

use crate::answer::Finished;
use crate::context::{Clock, Context, LocalFuture};

/// What happens next while a handler runs.
pub(crate) enum Event {
    /// It tells its client something.
    Notification(String),
    /// It is done.
    Done(Finished),
    /// Nothing was said for a while.
    Quiet,
    /// Its time is up.
    DeadlinePassed,
}

/// A handler and the clocks beside it.
pub(crate) struct Running {
    future: LocalFuture<Finished>,
    pub(crate) context: Context,
    /// The result, while notifications sent before it are still to be written.
    result: Option<Finished>,
    clock: Clock,
    /// Made when the handler first waits: most never do.
    deadline: Option<LocalFuture<()>>,
    quiet: Option<LocalFuture<()>>,
}

impl Running {
    pub(crate) fn new(future: LocalFuture<Finished>, context: Context, clock: Clock) -> Self {
        Self { future, context, result: None, clock, deadline: None, quiet: None }
    }

    /// Polls the handler until something happens; `silence` is how long nothing may.
    pub(crate) async fn next(&mut self, silence: Option<Duration>) -> Event {
        self.quiet = None;
        poll_fn(|cx| self.poll(cx, silence)).await
    }

    fn poll(&mut self, cx: &mut TaskContext<'_>, silence: Option<Duration>) -> Poll<Event> {
        if self.result.is_none()
            && let Poll::Ready(result) = self.future.as_mut().poll(cx)
        {
            self.result = Some(result);
        }
        if let Some(json) = self.context.outbox().take() {
            return Poll::Ready(Event::Notification(json));
        }
        if let Some(result) = self.result.take().or_else(|| self.context.ending()) {
            return Poll::Ready(Event::Done(result));
        }
        if let Some(left) = self.time_left()
            && poll_timer(&mut self.deadline, cx, &self.clock, left)
        {
            return Poll::Ready(Event::DeadlinePassed);
        }
        if let Some(time) = silence
            && poll_timer(&mut self.quiet, cx, &self.clock, time)
        {
            return Poll::Ready(Event::Quiet);
        }
        Poll::Pending
    }

    /// What is left until the handler's time is up, if it ever is.
    pub(crate) fn time_left(&self) -> Option<Duration> {
        self.context.deadline().map(|at| at.saturating_duration_since(Instant::now()))
    }

    /// Lets a handler that must not be cut run to its end, or to its deadline, for nobody. A
    /// question is an end: there is nobody to answer it.
    pub(crate) async fn complete(&mut self) {
        let left = self.time_left();
        let run = poll_fn(|cx| {
            let done = self.result.is_some()
                || self.future.as_mut().poll(cx).is_ready()
                || self.context.ending().is_some();
            if done { Poll::Ready(()) } else { Poll::Pending }
        });
        match left {
            None => run.await,
            Some(left) => or(run, (self.clock)(left)).await,
        }
    }
}

/// Whether a timer, started at its first poll, is over.
fn poll_timer(
    timer: &mut Option<LocalFuture<()>>,
    cx: &mut TaskContext<'_>,
    clock: &Clock,
    time: Duration,
) -> bool {
    timer.get_or_insert_with(|| clock(time)).as_mut().poll(cx).is_ready()
}

/// Runs what handlers left for afterwards, all of it together within the limit, and says whether
/// that was enough.
pub(crate) async fn run_deferred(contexts: &[Context], limit: Duration, clock: &Clock) -> bool {
    let mut deferred: Vec<_> = contexts.iter().flat_map(Context::take_deferred).collect();
    if deferred.is_empty() {
        return true;
    }
    let work = async {
        for work in &mut deferred {
            work.await;
        }
        true
    };
    or(work, async {
        clock(limit).await;
        false
    })
    .await
}

/// What is logged where the limit was not enough.
pub(crate) const DEFERRED_WORK_CUT: &str =
    "midge: deferred work was cut: it took longer than the server's limit";
