//! What a connection is at work on, and what it remembers.

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use futures_lite::future::or;
use serde_json::value::RawValue;

use super::lines::{Line, Lines};
use super::streams::Streams;
use super::tasks::{Task, Tasks};
use crate::call::Call;
use crate::client_gone::{ClientGone, Io};
use crate::context::Context;
use crate::delivery::Delivery;
use crate::dispatch::Answer;
use crate::error::ProtocolError;
use crate::message::{self, Observer, Reader, Refused, Work};
use crate::outbox::Outbox;
use crate::params;
use crate::protocol::jsonrpc::{self, RequestId};
use crate::response::Response;
use crate::running::{self, Event, Running};
use crate::server::Server;

/// Messages at work at once; handlers for more of them are not started.
const MAX_AT_WORK: usize = 100;

/// One client, from its first line to its last.
pub(super) struct Connection<'a, S> {
    build: &'a dyn Fn() -> Server,
    pub(super) streams: &'a S,
    delivery: Delivery,
    /// Lines on their way to the client.
    out: Outbox,
    calls: RefCell<Vec<Started>>,
    messages: Cell<u64>,
}

/// A call that is not answered yet.
struct Started {
    message: u64,
    context: Context,
    listens: bool,
}

impl<'a, S: Streams> Connection<'a, S> {
    pub(super) fn new(build: &'a dyn Fn() -> Server, streams: &'a S) -> Self {
        Self {
            build,
            streams,
            delivery: Delivery::by_connection(),
            out: Outbox::default(),
            calls: RefCell::default(),
            messages: Cell::default(),
        }
    }

    /// Reads the input to its end.
    pub(super) async fn read<'c>(&'c self, tasks: &Tasks<'c>) -> Io {
        let limit = (self.build)().settings().max_body;
        let mut lines = Lines::new(limit);
        while let Some(piece) = self.streams.read().await? {
            let mut piece = piece.as_slice();
            while let Some(line) = lines.next(&mut piece) {
                match line {
                    Line::Whole(line) => self.receive(&line, tasks).await,
                    Line::TooLong => self.refuse_line(limit).await,
                }
            }
        }
        let rest = lines.rest();
        // Whoever sends one message by hand may not have ended its line.
        if !rest.trim_ascii().is_empty() && message::parse(&rest).is_err() {
            return Io::Break(ClientGone::new("the input ended in the middle of a message"));
        }
        self.receive(&rest, tasks).await;
        Io::Continue(())
    }

    /// Writes what there is to say, for ever.
    pub(super) async fn write(&self) -> Io {
        loop {
            // Whoever puts something there is polled together with this, and before it.
            let line = poll_fn(|_| self.out.take().map_or(Poll::Pending, Poll::Ready)).await;
            let line = [&*jsonrpc::on_one_line(&line), "\n"].concat();
            self.streams.write(line.as_bytes()).await?;
            self.out.mark_written();
        }
    }

    /// Ends what would go on without an end: there is nobody any more to end it.
    pub(super) fn end_subscriptions(&self) {
        self.cancel(|call| call.listens);
    }

    /// Nobody is there any more to be told anything.
    pub(super) fn abandon(&self) {
        self.out.close();
        self.cancel(|_| true);
    }

    fn cancel(&self, which: impl Fn(&Started) -> bool) {
        let calls = self.calls.borrow();
        calls.iter().filter(|call| which(call)).for_each(|call| call.context.outbox().cancel());
    }

    async fn refuse_line(&self, limit: usize) {
        let reason = format!("the message has more than {limit} bytes");
        let error = ProtocolError::InvalidRequest(reason.into());
        self.out.send(Response::error(None, error).json).await;
    }

    /// Answers a line, or starts to.
    async fn receive<'c>(&'c self, line: &[u8], tasks: &Tasks<'c>) {
        if line.trim_ascii().is_empty() {
            return;
        }
        let server = (self.build)();
        let mut observer = Watcher(self);
        let work = Reader { server: &server, delivery: &self.delivery, observer: &mut observer };
        let work = { work }.read(line);
        self.streams.blame(None);
        match work {
            Work::Nothing => {}
            Work::Refused(Refused { response, .. }) => self.respond(vec![response], false).await,
            Work::Jobs { jobs, batch, .. } => {
                let full = tasks.len() >= MAX_AT_WORK;
                let jobs = if full { jobs.into_iter().map(refuse_call).collect() } else { jobs };
                let message = self.start(&jobs);
                let waits = jobs.iter().any(|job| matches!(job, Answer::Call(_)));
                let task: Task<'c> = Box::pin(self.answer(server, jobs, batch, message));
                if waits { tasks.push(task) } else { task.await }
            }
        }
    }

    /// Remembers which calls belong to a message, before the first of them begins.
    fn start(&self, jobs: &[Answer]) -> u64 {
        let message = self.messages.get();
        self.messages.set(message + 1);
        let calls = jobs.iter().filter_map(|job| match job {
            Answer::Now(_) => None,
            Answer::Call(call) => {
                Some(Started { message, context: call.context.clone(), listens: call.listens })
            }
        });
        self.calls.borrow_mut().extend(calls);
        message
    }

    /// Answers a message, and runs what its handlers left for afterwards.
    async fn answer(&self, server: Server, jobs: Vec<Answer>, batch: bool, message: u64) {
        let (mut contexts, mut responses) = (Vec::new(), Vec::new());
        for job in jobs {
            match job {
                Answer::Now(response) => responses.push((None, response)),
                Answer::Call(call) => {
                    let context = call.context.clone();
                    contexts.push(context.clone());
                    let response = self.call(&server, call).await;
                    responses.extend(response.map(|response| (Some(context), response)));
                }
            }
        }
        // Whatever has become of them since.
        let wanted =
            |context: &Option<Context>| !context.as_ref().is_some_and(Context::is_cancelled);
        let wanted = responses.into_iter().filter(|(context, _)| wanted(context));
        self.respond(wanted.map(|(_, response)| response).collect(), batch).await;
        self.calls.borrow_mut().retain(|call| call.message != message);
        let limit = server.settings().defer_limit;
        if !running::run_deferred(&contexts, limit, &self.streams.clock()).await {
            self.streams.log(running::DEFERRED_WORK_CUT);
        }
    }

    async fn respond(&self, responses: Vec<Response>, batch: bool) {
        let causes = responses.iter().filter_map(|response| response.cause.as_ref());
        causes.for_each(|cause| self.streams.log(&format!("midge: {cause}")));
        let lines: Vec<_> = responses.into_iter().map(|response| response.json).collect();
        match lines.join(",") {
            line if line.is_empty() => {}
            line if batch => self.out.send(format!("[{line}]")).await,
            line => self.out.send(line).await,
        }
    }

    /// Runs one call; `None` where nobody waits for it any more.
    async fn call(&self, server: &Server, call: Call) -> Option<Response> {
        let (context, time_limit) = (call.context.clone(), server.settings().time_limit);
        if context.is_cancelled() {
            return None;
        }
        let run = async {
            let finished = self.run(call, time_limit).await;
            // What deferred work still says has nobody to take it.
            context.outbox().close();
            finished
        };
        Some(match self.blaming(context.request_id(), run).await? {
            Event::Done(finished) => {
                let version = context.protocol_version();
                Response::new(server, context.request_id(), version, finished)
            }
            _ => Response::error(Some(context.request_id()), ProtocolError::TimedOut),
        })
    }

    /// Runs a handler and passes on what it says until it is done, its time is up or it is
    /// cancelled. Its future is dropped here, and with it whatever the handler holds.
    async fn run(&self, call: Call, time_limit: Option<std::time::Duration>) -> Option<Event> {
        let Call { future, context, run_to_completion, clock, .. } = call;
        context.start_clock(time_limit);
        let timer = self.streams.clock();
        if clock {
            context.set_clock(timer.clone());
        }
        let cancelled = async || context.cancelled().await;
        let mut running = Running::new(future, context.clone(), timer);
        loop {
            let next = async { Some(running.next(None).await) };
            let next = or(
                async {
                    cancelled().await;
                    None
                },
                next,
            )
            .await;
            match next {
                Some(Event::Notification(json)) => {
                    or(self.out.send(json), cancelled()).await;
                    context.outbox().mark_written();
                }
                None if run_to_completion => {
                    running.complete().await;
                    return None;
                }
                end => return end,
            }
        }
    }

    /// Says whose fault a panic would be, whenever a future runs and when it is dropped.
    async fn blaming<T>(&self, request: &RequestId, future: impl Future<Output = T>) -> T {
        let mut future = pin!(future);
        poll_fn(|cx| {
            self.streams.blame(Some(request));
            let polled = future.as_mut().poll(cx);
            self.streams.blame(None);
            polled
        })
        .await
    }
}

/// The answer to a call for which there is no room.
fn refuse_call(job: Answer) -> Answer {
    match job {
        Answer::Call(Call { context, .. }) => {
            Answer::Now(Response::error(Some(context.request_id()), ProtocolError::Busy))
        }
        now => now,
    }
}

/// Sees what concerns the connection as a whole.
struct Watcher<'c, 'a, S>(&'c Connection<'a, S>);

impl<S: Streams> Observer for Watcher<'_, '_, S> {
    fn begins(&mut self, request: &RequestId) {
        self.0.streams.blame(Some(request));
    }

    fn notified(&mut self, method: &str, params: Option<&RawValue>) {
        if method != "notifications/cancelled" {
            return;
        }
        let Ok([Some(id)]) = params::read(params, ["requestId"]) else { return };
        if let Some(id) = RequestId::from_json(id) {
            self.0.cancel(|call| *call.context.request_id() == id);
        }
    }
}
