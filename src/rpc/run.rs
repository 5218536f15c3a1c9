//! A running handler, from its first poll to its end.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};
use std::time::{Duration, Instant};

use futures_lite::future::or;

use crate::error::ProtocolError;
use crate::handler::call::HandlerCall;
use crate::handler::context::{Clock, Context, LocalFuture};
use crate::handler::disconnect::{ClientGone, Flow};
use crate::handler::panic_attribution::PanicAttribution;
use crate::handler::result::MethodResult;
use crate::rpc::response::Response;
use crate::server::Server;
use crate::server::settings::Settings;

/// Resolves when the client has taken a notification.
pub(crate) type SendFuture<'a> = Pin<Box<dyn Future<Output = Flow> + 'a>>;

/// Where the notifications of running handlers go.
///
/// A trait object, so that a component has one copy of the code for all its transports.
pub(crate) trait NotificationSink {
    /// Sends a notification, or a keep-alive if there is none.
    fn send<'a>(&'a mut self, notification: Option<&'a str>) -> SendFuture<'a>;

    /// Time without a notification after which a keep-alive is due. `heartbeat`: a disconnect must be
    /// noticed soon.
    fn idle_limit(&self, settings: &Settings, heartbeat: bool) -> Option<Duration>;

    /// The clock by itself, for handlers that wait.
    fn clock(&self) -> Clock;
}

/// Runs one handler and sends its notifications.
///
/// The handler's future is dropped here: when it has finished, when it has timed out, or when the
/// client has disconnected and the call does not run to completion.
pub(crate) async fn run_handler(
    server: &Server,
    sink: &mut dyn NotificationSink,
    attribution: &PanicAttribution,
    call: HandlerCall,
) -> Flow<Response> {
    let HandlerCall { future, context, run_to_completion, early_stream, heartbeat, clock, .. } =
        call;
    context.start_clock(server.settings().exchange_timeout);
    if clock {
        context.set_clock(sink.clock());
    }
    let mut running = RunningHandler::new(future, context, attribution);
    let flow = running.watch(sink, server.settings(), early_stream, heartbeat).await;
    if flow.is_break() {
        running.context.outbox().cancel();
        if run_to_completion {
            running.complete(sink).await;
        }
    }
    // What deferred work still says has nobody to take it.
    running.context.outbox().close();
    let RunningHandler { future, context, is_done, .. } = running;
    if is_done {
        context.keep(future);
    } else {
        attribution.set(context.request_id());
        drop(future);
        attribution.clear();
    }
    Flow::Continue(match flow? {
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
    Done(MethodResult),
    /// No notification was sent for a while.
    Idle,
    DeadlinePassed,
    /// The client has cancelled the request.
    Cancelled,
}

/// A handler and its timers.
struct RunningHandler<'a> {
    future: LocalFuture<MethodResult>,
    context: Context,
    attribution: &'a PanicAttribution,
    /// The future has come to its end.
    is_done: bool,
    /// The result, while notifications sent before it are still to be written.
    result: Option<MethodResult>,
    /// Made when the handler first waits: most never do.
    deadline: Option<LocalFuture<()>>,
    idle: Option<LocalFuture<()>>,
}

impl<'a> RunningHandler<'a> {
    fn new(
        future: LocalFuture<MethodResult>,
        context: Context,
        attribution: &'a PanicAttribution,
    ) -> Self {
        let (result, deadline, idle) = (None, None, None);
        Self { future, context, attribution, is_done: false, result, deadline, idle }
    }

    /// Passes on what the handler says until it is done; `None` when its time is up.
    async fn watch(
        &mut self,
        sink: &mut dyn NotificationSink,
        settings: &Settings,
        early_stream: bool,
        heartbeat: bool,
    ) -> Flow<Option<MethodResult>> {
        if early_stream && sink.idle_limit(settings, heartbeat).is_some() {
            self.tell(sink, None).await?;
        }
        loop {
            self.idle = None;
            let idle_limit = |sink: &dyn NotificationSink| sink.idle_limit(settings, heartbeat);
            match poll_fn(|cx| self.poll(cx, sink, idle_limit)).await {
                Event::Done(result) => return Flow::Continue(Some(result)),
                Event::DeadlinePassed => return Flow::Continue(None),
                Event::Cancelled => return Flow::Break(ClientGone::new("cancelled")),
                Event::Idle => self.tell(sink, None).await?,
                Event::Notification(json) => {
                    self.tell(sink, Some(&json)).await?;
                    self.context.outbox().mark_written();
                }
            }
        }
    }

    /// A client that takes nothing until the handler's time is up is gone.
    async fn tell(&self, sink: &mut dyn NotificationSink, notification: Option<&str>) -> Flow {
        let Some(left) = self.time_left() else { return sink.send(notification).await };
        let clock = sink.clock();
        or(sink.send(notification), async {
            clock(left).await;
            Flow::Break(ClientGone::new("the client took nothing until the time limit"))
        })
        .await
    }

    fn poll(
        &mut self,
        cx: &mut TaskContext<'_>,
        sink: &mut dyn NotificationSink,
        idle_limit: impl Fn(&dyn NotificationSink) -> Option<Duration>,
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
            && poll_timer(&mut self.deadline, cx, || sink.clock(), left)
        {
            return Poll::Ready(Event::DeadlinePassed);
        }
        if let Some(time) = idle_limit(sink)
            && poll_timer(&mut self.idle, cx, || sink.clock(), time)
        {
            return Poll::Ready(Event::Idle);
        }
        // Most handlers never wait, and need no waker for this.
        self.context.outbox().poll_cancelled(cx).map(|()| Event::Cancelled)
    }

    fn poll_handler(&mut self, cx: &mut TaskContext<'_>) {
        self.attribution.set(self.context.request_id());
        if let Poll::Ready(result) = self.future.as_mut().poll(cx) {
            self.result = Some(result);
            self.is_done = true;
        }
        self.attribution.clear();
    }

    fn time_left(&self) -> Option<Duration> {
        self.context.deadline().map(|at| at.saturating_duration_since(Instant::now()))
    }

    /// Lets a handler that must not be cut run to its end, or to its deadline, for nobody. A
    /// question is an end: there is nobody to answer it.
    async fn complete(&mut self, sink: &mut dyn NotificationSink) {
        self.deadline = None;
        poll_fn(|cx| {
            if self.result.is_none() {
                self.poll_handler(cx);
            }
            let over = self.result.is_some()
                || self.context.ending().is_some()
                || self
                    .time_left()
                    .is_some_and(|left| poll_timer(&mut self.deadline, cx, || sink.clock(), left));
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
    "deferred work was cut: it took longer than the server's limit";
