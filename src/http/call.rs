//! One call of a handler, from its first poll to its end.

use std::future::poll_fn;
use std::task::{Context as TaskContext, Poll};
use std::time::{Duration, Instant};

use super::answer::Writer;
use super::sse;
use super::transport::{Io, Transport, within};
use crate::answer::Finished;
use crate::call::Call;
use crate::context::{Context, LocalFuture};
use crate::error::ProtocolError;
use crate::response::Response;
use crate::server::Server;

/// How often a stream is written to whose handler must be told soon that its client has gone:
/// well within the second that hosts give a guest to notice.
const HEARTBEAT: Duration = Duration::from_millis(250);

/// Runs one call and writes what it says on its way.
///
/// Its future is dropped here, and with it whatever the handler holds: when it is done, when its
/// time is up, or when the client is gone and the call is not one that runs to completion.
pub(crate) async fn run<T: Transport>(
    server: &Server,
    writer: &mut Writer<'_, T>,
    call: Call,
) -> Io<Response> {
    let Call { future, context, run_to_completion, early_stream, heartbeat, clock } = call;
    if !writer.streams() {
        context.outbox().close();
    }
    writer.transport().blame(Some(context.request_id()));
    context.start_clock(server.settings().time_limit);
    if clock {
        context.set_clock(writer.transport().clock());
    }
    let keep_alive = server.settings().keep_alive;
    let keep_alive = if heartbeat { keep_alive.min(HEARTBEAT) } else { keep_alive };
    let mut running = Running::new(future, context.clone(), server.settings().quiet, keep_alive);
    let flow = watch(writer, &mut running, early_stream).await;
    if flow.is_break() {
        context.outbox().cancel();
        if run_to_completion {
            running.complete(writer.transport()).await;
        }
    }
    // What deferred work still says has nobody to take it.
    context.outbox().close();
    drop(running);
    writer.transport().blame(None);
    Io::Continue(match flow? {
        Some(finished) => {
            let version = context.protocol_version();
            Response::new(server, context.request_id(), version, finished)
        }
        None => Response::error(Some(context.request_id()), ProtocolError::TimedOut),
    })
}

/// Writes what the handler says until it is done; `None` when its time is up.
async fn watch<T: Transport>(
    writer: &mut Writer<'_, T>,
    running: &mut Running,
    early_stream: bool,
) -> Io<Option<Finished>> {
    if early_stream && writer.streams() {
        running.write(writer, sse::KEEP_ALIVE).await?;
    }
    loop {
        let silence = if writer.is_streaming() { running.keep_alive } else { running.quiet_time };
        let silence = writer.streams().then_some(silence);
        match running.next(writer.transport(), silence).await {
            Event::Done(result) => return Io::Continue(Some(result)),
            Event::DeadlinePassed => return Io::Continue(None),
            Event::Quiet => running.write(writer, sse::KEEP_ALIVE).await?,
            Event::Notification(json) => {
                running.write(writer, &sse::event(&json)).await?;
                running.context.outbox().mark_written();
            }
        }
    }
}

/// What happens next while a handler runs.
enum Event {
    Notification(String),
    Done(Finished),
    /// Nothing was said for a while.
    Quiet,
    DeadlinePassed,
}

/// A handler and the clocks beside it.
struct Running {
    future: LocalFuture<Finished>,
    context: Context,
    /// The result, while notifications sent before it are still to be written.
    result: Option<Finished>,
    quiet_time: Duration,
    keep_alive: Duration,
    /// Made when the handler first waits: most never do.
    deadline: Option<LocalFuture<()>>,
    quiet: Option<LocalFuture<()>>,
}

impl Running {
    fn new(
        future: LocalFuture<Finished>,
        context: Context,
        quiet_time: Duration,
        keep_alive: Duration,
    ) -> Self {
        Self { future, context, result: None, quiet_time, keep_alive, deadline: None, quiet: None }
    }

    /// Writes events; a client that takes none of them until the handler's time is up is gone.
    async fn write<T: Transport>(&self, writer: &mut Writer<'_, T>, events: &str) -> Io {
        let limit = self.time_left().map(|left| writer.transport().wait(left));
        within(limit, writer.events(events)).await
    }

    async fn next<T: Transport>(&mut self, transport: &T, silence: Option<Duration>) -> Event {
        self.quiet = None;
        poll_fn(|cx| self.poll(cx, transport, silence)).await
    }

    fn poll<T: Transport>(
        &mut self,
        cx: &mut TaskContext<'_>,
        transport: &T,
        silence: Option<Duration>,
    ) -> Poll<Event> {
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
            && poll_timer(&mut self.deadline, cx, transport, left)
        {
            return Poll::Ready(Event::DeadlinePassed);
        }
        if let Some(time) = silence
            && poll_timer(&mut self.quiet, cx, transport, time)
        {
            return Poll::Ready(Event::Quiet);
        }
        Poll::Pending
    }

    fn time_left(&self) -> Option<Duration> {
        self.context.deadline().map(|at| at.saturating_duration_since(Instant::now()))
    }

    /// Lets a handler that must not be cut run to its end, or to its deadline, for nobody. A
    /// question is an end: there is nobody to answer it.
    async fn complete<T: Transport>(&mut self, transport: &T) {
        let left = self.time_left();
        let run = poll_fn(|cx| {
            let done = self.result.is_some()
                || self.future.as_mut().poll(cx).is_ready()
                || self.context.ending().is_some();
            if done { Poll::Ready(()) } else { Poll::Pending }
        });
        match left {
            None => run.await,
            Some(left) => futures_lite::future::or(run, transport.wait(left)).await,
        }
    }
}

/// Whether a timer, started at its first poll, is over.
fn poll_timer<T: Transport>(
    timer: &mut Option<LocalFuture<()>>,
    cx: &mut TaskContext<'_>,
    transport: &T,
    time: Duration,
) -> bool {
    timer.get_or_insert_with(|| Box::pin(transport.wait(time))).as_mut().poll(cx).is_ready()
}
