//! A handler at work, from its first poll to its end.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};
use std::time::{Duration, Instant};

use futures_lite::future::or;

use crate::error::ProtocolError;
use crate::handler::call::Call;
use crate::handler::context::{Clock, Context, LocalFuture};
use crate::handler::disconnect::{ClientGone, Io};
use crate::handler::panic_attribution::Blame;
use crate::handler::result::Finished;
use crate::rpc::response::Response;
use crate::server::Server;
use crate::server::settings::Settings;

/// What is told to a client, until it has taken it.
pub(crate) type Telling<'a> = Pin<Box<dyn Future<Output = Io> + 'a>>;

/// Who hears what handlers say on their way, by whatever transport.
///
/// An object, so that there is one code for all transports of a component.
pub(crate) trait Audience {
    /// Passes on a notification; without one, what only shows that somebody is at work.
    fn tell<'a>(&'a mut self, notification: Option<&'a str>) -> Telling<'a>;

    /// How long nothing may be said. `heartbeat`: the client's leaving must be noticed soon.
    fn silence(&self, settings: &Settings, heartbeat: bool) -> Option<Duration>;

    /// The clock by itself, for handlers that wait.
    fn clock(&self) -> Clock;
}

/// Runs one call and passes on what it says on its way.
///
/// Whatever the handler holds is dropped here: when it is done, when its time is up, or when the
/// client is gone and the call is not one that runs to completion.
pub(crate) async fn run(
    server: &Server,
    audience: &mut dyn Audience,
    blame: &Blame,
    call: Call,
) -> Io<Response> {
    let Call { future, context, run_to_completion, early_stream, heartbeat, clock, .. } = call;
    context.start_clock(server.settings().time_limit);
    if clock {
        context.set_clock(audience.clock());
    }
    let mut running = Running::new(future, context, blame);
    let flow = running.watch(audience, server.settings(), early_stream, heartbeat).await;
    if flow.is_break() {
        running.context.outbox().cancel();
        if run_to_completion {
            running.complete(audience).await;
        }
    }
    // What deferred work still says has nobody to take it.
    running.context.outbox().close();
    let Running { future, context, is_done, .. } = running;
    if is_done {
        context.keep(future);
    } else {
        blame.set(context.request_id());
        drop(future);
        blame.clear();
    }
    Io::Continue(match flow? {
        Some(finished) => {
            let version = context.protocol_version();
            Response::new(server, context.request_id(), version, finished)
        }
        None => Response::error(Some(context.request_id()), ProtocolError::TimedOut),
    })
}

/// What happens next while a handler runs.
enum Event {
    Notification(String),
    Done(Finished),
    /// Nothing was said for a while.
    Quiet,
    DeadlinePassed,
    /// The client does not want the answer any more.
    Cancelled,
}

/// A handler and the clocks beside it.
struct Running<'a> {
    future: LocalFuture<Finished>,
    context: Context,
    blame: &'a Blame,
    /// The future has come to its end.
    is_done: bool,
    /// The result, while notifications sent before it are still to be written.
    result: Option<Finished>,
    /// Made when the handler first waits: most never do.
    deadline: Option<LocalFuture<()>>,
    quiet: Option<LocalFuture<()>>,
}

impl<'a> Running<'a> {
    fn new(future: LocalFuture<Finished>, context: Context, blame: &'a Blame) -> Self {
        let (result, deadline, quiet) = (None, None, None);
        Self { future, context, blame, is_done: false, result, deadline, quiet }
    }

    /// Passes on what the handler says until it is done; `None` when its time is up.
    async fn watch(
        &mut self,
        audience: &mut dyn Audience,
        settings: &Settings,
        early_stream: bool,
        heartbeat: bool,
    ) -> Io<Option<Finished>> {
        if early_stream && audience.silence(settings, heartbeat).is_some() {
            self.tell(audience, None).await?;
        }
        loop {
            self.quiet = None;
            let silence = |audience: &dyn Audience| audience.silence(settings, heartbeat);
            match poll_fn(|cx| self.poll(cx, audience, silence)).await {
                Event::Done(result) => return Io::Continue(Some(result)),
                Event::DeadlinePassed => return Io::Continue(None),
                Event::Cancelled => return Io::Break(ClientGone::new("cancelled")),
                Event::Quiet => self.tell(audience, None).await?,
                Event::Notification(json) => {
                    self.tell(audience, Some(&json)).await?;
                    self.context.outbox().mark_written();
                }
            }
        }
    }

    /// A client that takes nothing until the handler's time is up is gone.
    async fn tell(&self, audience: &mut dyn Audience, notification: Option<&str>) -> Io {
        let Some(left) = self.time_left() else { return audience.tell(notification).await };
        let clock = audience.clock();
        or(audience.tell(notification), async {
            clock(left).await;
            Io::Break(ClientGone::new("the client took nothing until the time limit"))
        })
        .await
    }

    fn poll(
        &mut self,
        cx: &mut TaskContext<'_>,
        audience: &mut dyn Audience,
        silence: impl Fn(&dyn Audience) -> Option<Duration>,
    ) -> Poll<Event> {
        if self.context.outbox().is_cancelled() {
            return Poll::Ready(Event::Cancelled);
        }
        if self.result.is_none() {
            self.poll_handler(cx);
        }
        if let Some(json) = self.context.outbox().take() {
            return Poll::Ready(Event::Notification(json));
        }
        if let Some(result) = self.result.take().or_else(|| self.context.ending()) {
            return Poll::Ready(Event::Done(result));
        }
        if let Some(left) = self.time_left()
            && poll_timer(&mut self.deadline, cx, || audience.clock(), left)
        {
            return Poll::Ready(Event::DeadlinePassed);
        }
        if let Some(time) = silence(audience)
            && poll_timer(&mut self.quiet, cx, || audience.clock(), time)
        {
            return Poll::Ready(Event::Quiet);
        }
        // Most handlers never wait, and need no waker for this.
        self.context.outbox().poll_cancelled(cx).map(|()| Event::Cancelled)
    }

    fn poll_handler(&mut self, cx: &mut TaskContext<'_>) {
        self.blame.set(self.context.request_id());
        if let Poll::Ready(result) = self.future.as_mut().poll(cx) {
            self.result = Some(result);
            self.is_done = true;
        }
        self.blame.clear();
    }

    fn time_left(&self) -> Option<Duration> {
        self.context.deadline().map(|at| at.saturating_duration_since(Instant::now()))
    }

    /// Lets a handler that must not be cut run to its end, or to its deadline, for nobody. A
    /// question is an end: there is nobody to answer it.
    async fn complete(&mut self, audience: &mut dyn Audience) {
        self.deadline = None;
        poll_fn(|cx| {
            if self.result.is_none() {
                self.poll_handler(cx);
            }
            let over = self.result.is_some()
                || self.context.ending().is_some()
                || self.time_left().is_some_and(|left| {
                    poll_timer(&mut self.deadline, cx, || audience.clock(), left)
                });
            if over { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }
}

/// Whether a timer, started at its first poll, is over.
fn poll_timer(
    timer: &mut Option<LocalFuture<()>>,
    cx: &mut TaskContext<'_>,
    clock: impl FnOnce() -> Clock,
    time: Duration,
) -> bool {
    timer.get_or_insert_with(|| clock()(time)).as_mut().poll(cx).is_ready()
}

/// Runs what handlers left for afterwards, all of it together within the limit, and says whether
/// that was enough.
pub(crate) async fn run_deferred(contexts: &[Context], limit: Duration, clock: &Clock) -> bool {
    let mut deferred: Vec<_> = contexts.iter().flat_map(Context::take_deferred).collect();
    let mut timer = None;
    poll_fn(|cx| {
        while let Some(work) = deferred.first_mut() {
            if work.as_mut().poll(cx).is_pending() {
                let over = poll_timer(&mut timer, cx, || clock.clone(), limit);
                return if over { Poll::Ready(false) } else { Poll::Pending };
            }
            drop(deferred.remove(0));
        }
        Poll::Ready(true)
    })
    .await
}

/// What is logged where the limit was not enough.
pub(crate) const DEFERRED_WORK_CUT: &str =
    "midge: deferred work was cut: it took longer than the server's limit";
