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
use crate::handler::outbox::Outbox;
use crate::handler::params;
use crate::protocol::jsonrpc::{self, RequestId};
use crate::rpc::dispatch::Dispatched;
use crate::rpc::peer::PeerContext;
use crate::rpc::response::Response;
use crate::rpc::{
    message::{Observer, Reader, Work},
    request::Refused,
};
use crate::server::Server;

/// Messages at work at once; handlers for more of them are not started.
const MAX_AT_WORK: usize = 100;

/// Messages at work, refused ones included, from which on no more are read.
const MAX_READ: usize = 200;

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
    /// The answers at work. All of them are one task for the runtime, and polled together: they are
    /// one client's, and their number is bounded.
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
        let (out, calls) = (Outbox::default(), Default::default());
        Self {
            build,
            shared: Rc::new(Shared { streams, out, calls }),
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
        while self.stage == Stage::Open
            && self.answers.len() < MAX_READ
            && let Poll::Ready(read) = self.poll_read(cx)
        {
            match read {
                Flow::Continue(Some(piece)) => self.take(piece),
                Flow::Continue(None) => self.end_of_input()?,
                // Nobody is left behind by a client that goes while nothing is at work.
                Flow::Break(_) if self.is_idle() => self.go_to(Stage::Draining),
                Flow::Break(gone) => return Flow::Break(gone),
            }
        }
        self.poll_answers(cx);
        if self.stage == Stage::Left { Flow::Continue(()) } else { self.poll_write(cx) }
    }

    /// The next piece; what is left of the last one is the first.
    fn poll_read(&mut self, cx: &mut TaskContext<'_>) -> Poll<Flow<Option<Vec<u8>>>> {
        if self.unread.is_empty() {
            return self.shared.streams.poll_read(cx);
        }
        Poll::Ready(Flow::Continue(Some(std::mem::take(&mut self.unread))))
    }

    fn poll_answers(&mut self, cx: &mut TaskContext<'_>) {
        let before = self.answers.len();
        self.answers.retain_mut(|answer| answer.as_mut().poll(cx).is_pending());
        if self.answers.len() < before {
            // There may be more to read again.
            cx.waker().wake_by_ref();
        }
    }

    /// Writes what there is to say. Whoever has more to say is woken by it.
    fn poll_write(&mut self, cx: &mut TaskContext<'_>) -> Flow {
        let Shared { streams, out, .. } = &*self.shared;
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

    /// Takes the lines of a piece, as many as may be at work.
    fn take(&mut self, mut piece: Vec<u8>) {
        let mut rest = piece.as_slice();
        while self.answers.len() < MAX_READ
            && let Some(line) = self.lines.next(&mut rest)
        {
            match line {
                Line::Whole(line) => {
                    let (server, work) = self.read(&line);
                    self.start(server, work);
                }
                Line::TooLong => {
                    let reason = format!("the message has more than {} bytes", self.lines.limit());
                    let error = ProtocolError::InvalidRequest(reason.into());
                    let response = Response::error(None, error);
                    let refused = Work::Refused(Refused { response, modern: false });
                    self.start((self.build)(), refused);
                }
            }
        }
        let taken = piece.len() - rest.len();
        piece.drain(..taken);
        self.unread = piece;
    }

    fn end_of_input(&mut self) -> Flow {
        let rest = self.lines.rest();
        // Whoever sends one message by hand may not have ended its line.
        let (server, work) = self.read(&rest);
        if let Work::Refused(Refused { response, .. }) = &work
            && let Some(ProtocolError::Parse(_)) = response.error
        {
            return Flow::Break(ClientGone::new("the input ended in the middle of a message"));
        }
        self.start(server, work);
        // They would go on without an end: there is nobody any more to end them.
        self.shared.cancel(|call| call.listens);
        self.go_to(Stage::Draining);
        Flow::Continue(())
    }

    fn leave(&mut self) {
        self.shared.out.close();
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

    /// Starts to answer a message.
    fn start(&mut self, server: Server, work: Work) {
        let (mut jobs, batch) = match work {
            Work::Nothing => return,
            Work::Refused(Refused { response, .. }) => {
                (vec![Dispatched::Response(response)], false)
            }
            Work::Jobs { jobs, batch, .. } => (jobs, batch),
        };
        let message = self.messages;
        self.messages += 1;
        let is_full = self.answers.len() >= MAX_AT_WORK;
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
        self.answers.push(Box::pin(respond(Rc::clone(&self.shared), server, jobs, batch, message)));
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
