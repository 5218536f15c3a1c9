//! One client, from its first line to its last.

use std::rc::Rc;
use std::task::{Context as TaskContext, Poll};
use std::time::Duration;

use midge_contract::{CLIENT_GONE, LOG_PREFIX};
use serde_json::value::RawValue;

use super::lines::{Line, Lines};
use super::respond::{PendingCall, Shared, respond};
use super::streams::Streams;
use crate::error::ProtocolError;
use crate::handler::call::HandlerCall;
use crate::handler::context::LocalFuture;
use crate::handler::disconnect::{ClientGone, Flow};
use crate::handler::params;
use crate::protocol::jsonrpc::{self, RequestId};
use crate::rpc::dispatch::Dispatched;
use crate::rpc::peer::PeerContext;
use crate::rpc::response::Response;
use crate::rpc::{
    message::{self, Observer, Reader, Work},
    request::Refused,
};
use crate::server::Server;

/// Handlers that run at once. While so many wait, further calls are refused.
const MAX_RUNNING: usize = 100;

/// Unanswered messages from which on no more are read: running handlers, and responses that the
/// client has not taken.
const MAX_UNANSWERED: usize = 200;

/// Messages that are read before running handlers get their turn. Fewer than may be unanswered, since
/// the answers of a turn are taken away after it.
const MAX_TURN: usize = 100;

/// How long the work goes on whose input has ended, and that which runs to completion for a client
/// that is gone.
pub(crate) const DRAIN: Duration = Duration::from_secs(10);

/// One client, from its first line to its last.
pub(super) struct Connection<S> {
    build: Rc<dyn Fn() -> Server>,
    shared: Rc<Shared<S>>,
    peer: PeerContext,
    lines: Lines,
    /// What is read and not looked at: there was too much at work.
    unread: Vec<u8>,
    /// The answers that wait, for a handler or for the client. All of them are one task for the
    /// runtime, and polled together: they are one client's, and their number is bounded.
    answers: Vec<LocalFuture<()>>,
    messages: u64,
    is_writing: bool,
    stage: Stage,
    /// When the stage is over, whatever is still at work.
    end: Option<LocalFuture<()>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Open,
    /// The input has ended.
    Draining,
    /// Nobody is there any more to be told anything.
    Left,
}

impl<S: Streams + 'static> Connection<S> {
    pub(super) fn new(build: Rc<dyn Fn() -> Server>, streams: S) -> Self {
        let lines = Lines::new(build().settings().max_body);
        let (running, calls) = Default::default();
        Self {
            build,
            shared: Rc::new(Shared { streams, running, calls }),
            peer: PeerContext::by_connection(),
            lines,
            unread: Vec::new(),
            answers: Vec::new(),
            messages: 0,
            is_writing: false,
            stage: Stage::Open,
            end: None,
        }
    }

    /// Lets everything go on as far as it can. Ready when the connection is over.
    pub(super) fn poll(&mut self, cx: &mut TaskContext<'_>) -> Poll<()> {
        if let Flow::Break(ClientGone { cause }) = self.poll_streams(cx) {
            self.shared.streams.log(&[CLIENT_GONE, ": ", &cause].concat());
            self.leave();
        }
        if self.stage == Stage::Open {
            return Poll::Pending;
        }
        if self.answers.is_empty() {
            return Poll::Ready(());
        }
        if self.end.as_mut().is_none_or(|end| end.as_mut().poll(cx).is_pending()) {
            return Poll::Pending;
        }
        if self.stage == Stage::Left {
            return Poll::Ready(());
        }
        self.shared
            .streams
            .log(&[LOG_PREFIX, "requests were cut: the input had ended before"].concat());
        self.leave();
        self.poll(cx)
    }

    fn poll_streams(&mut self, cx: &mut TaskContext<'_>) -> Flow {
        self.poll_answers(cx);
        if self.stage == Stage::Left {
            return Flow::Continue(());
        }
        self.poll_write(cx)?;
        let mut turn = MAX_TURN;
        while self.stage == Stage::Open
            && self.answers.len() < MAX_UNANSWERED
            && turn > 0
            && let Poll::Ready(read) = self.poll_read(cx)
        {
            match read {
                Flow::Continue(Some(piece)) => self.take(cx, piece, &mut turn)?,
                Flow::Continue(None) => self.end_of_input(cx)?,
                // Nobody is left behind by a client that goes while nothing is at work.
                Flow::Break(_) if self.is_idle() => self.go_to(Stage::Draining),
                Flow::Break(gone) => return Flow::Break(gone),
            }
        }
        if turn == 0 {
            cx.waker().wake_by_ref();
        }
        Flow::Continue(())
    }

    /// The next piece; what is left of the last one is the first.
    fn poll_read(&mut self, cx: &mut TaskContext<'_>) -> Poll<Flow<Option<Vec<u8>>>> {
        if self.unread.is_empty() {
            return self.shared.streams.poll_read(cx);
        }
        Poll::Ready(Flow::Continue(Some(std::mem::take(&mut self.unread))))
    }

    fn poll_answers(&mut self, cx: &mut TaskContext<'_>) {
        self.answers.retain_mut(|answer| answer.as_mut().poll(cx).is_pending());
    }

    /// Writes what there is to say. Whoever has more to say is woken by it.
    fn poll_write(&mut self, cx: &mut TaskContext<'_>) -> Flow {
        let streams = &self.shared.streams;
        let out = streams.outbox();
        loop {
            if !self.is_writing {
                let Some(line) = out.take() else { return Flow::Continue(()) };
                streams.begin_line(&jsonrpc::on_one_line(&line));
                self.is_writing = true;
            }
            match streams.poll_write(cx) {
                Poll::Ready(written) => written?,
                Poll::Pending => return Flow::Continue(()),
            }
            self.is_writing = false;
            out.mark_written();
        }
    }

    fn is_idle(&self) -> bool {
        self.answers.is_empty() && self.lines.is_empty() && self.unread.is_empty()
    }

    /// Takes the lines of a piece, as long as there is room for what they ask for.
    fn take(&mut self, cx: &mut TaskContext<'_>, mut piece: Vec<u8>, turn: &mut usize) -> Flow {
        let mut rest = piece.as_slice();
        let mut flow = Flow::Continue(());
        while flow.is_continue()
            && self.answers.len() < MAX_UNANSWERED
            && *turn > 0
            && let Some(line) = self.lines.next(&mut rest)
        {
            *turn -= 1;
            let (server, work) = match line {
                Line::Whole(line) => self.read(&line),
                Line::TooLong(start) => ((self.build)(), self.refuse_long(&start)),
            };
            flow = self.start(cx, server, work);
        }
        let taken = piece.len() - rest.len();
        piece.drain(..taken);
        self.unread = piece;
        flow
    }

    fn refuse_long(&self, start: &[u8]) -> Work {
        let reason = format!("the message has more than {} bytes", self.lines.limit());
        let error = ProtocolError::InvalidRequest(reason.into());
        let response = Response::error(message::id_at_start(start).as_ref(), error);
        Work::Refused(Refused { response, modern: false })
    }

    fn end_of_input(&mut self, cx: &mut TaskContext<'_>) -> Flow {
        let rest = self.lines.rest();
        // Whoever sends one message by hand may not have ended its line.
        let (server, work) = self.read(&rest);
        if let Work::Refused(Refused { response, .. }) = &work
            && let Some(ProtocolError::Parse(_)) = response.error
        {
            return Flow::Break(ClientGone::new("the input ended in the middle of a message"));
        }
        self.start(cx, server, work)?;
        // They would go on without an end: there is nobody any more to end them.
        self.shared.cancel(|call| call.listens);
        self.go_to(Stage::Draining);
        Flow::Continue(())
    }

    fn leave(&mut self) {
        self.shared.streams.outbox().close();
        self.shared.cancel(|_| true);
        self.go_to(Stage::Left);
    }

    fn go_to(&mut self, stage: Stage) {
        self.stage = stage;
        self.end = Some(self.shared.streams.clock()(DRAIN));
    }

    /// Reads a line, for a server of its own.
    fn read(&self, line: &[u8]) -> (Server, Work) {
        let server = (self.build)();
        if line.trim_ascii().is_empty() {
            return (server, Work::Nothing);
        }
        let mut observer = Watcher(&self.shared);
        let (peer, attribution) = (&self.peer, self.shared.streams.panic_attribution());
        let observer: Option<&mut dyn Observer> = Some(&mut observer);
        let work =
            Reader { server: &server, peer, attribution, observer, metadata: None }.read(line);
        attribution.clear();
        (server, work)
    }

    /// Starts to answer a message, and answers it at once unless its handler or its client waits.
    fn start(&mut self, cx: &mut TaskContext<'_>, server: Server, work: Work) -> Flow {
        let (mut jobs, batch) = match work {
            Work::Nothing => return Flow::Continue(()),
            Work::Refused(Refused { response, .. }) => {
                (vec![Dispatched::Response(response)], false)
            }
            Work::Jobs { jobs, batch, .. } => (jobs, batch),
        };
        let message = self.messages;
        self.messages += 1;
        let is_full = self.is_full(cx);
        for job in &mut jobs {
            let Dispatched::Call(HandlerCall { context, listens, .. }) = job else { continue };
            if is_full {
                let response = Response::error(Some(context.request_id()), ProtocolError::Busy);
                *job = Dispatched::Response(response);
                continue;
            }
            let (context, listens) = (context.clone(), *listens);
            self.shared.calls.borrow_mut().push(PendingCall { message, context, listens });
        }
        let shared = Rc::clone(&self.shared);
        self.answers.push(Box::pin(respond(shared, server, jobs, batch, message)));
        if let Some(last) = self.answers.last_mut()
            && last.as_mut().poll(cx).is_ready()
        {
            self.answers.pop();
        }
        self.poll_write(cx)
    }

    /// Whether as many handlers wait as may run. Those that need not wait any more are polled first.
    fn is_full(&mut self, cx: &mut TaskContext<'_>) -> bool {
        if self.shared.running.get() >= MAX_RUNNING {
            self.poll_answers(cx);
        }
        self.shared.running.get() >= MAX_RUNNING
    }
}

/// Sees what concerns the connection as a whole.
struct Watcher<'a, S>(&'a Shared<S>);

impl<S: Streams> Observer for Watcher<'_, S> {
    fn notified(&mut self, method: &str, params: Option<&RawValue>) {
        if method == "notifications/cancelled"
            && let Ok([Some(id)]) = params::read(params, ["requestId"])
            && let Some(id) = RequestId::from_json(id)
        {
            self.0.cancel(|call| *call.context.request_id() == id);
        }
    }
}
