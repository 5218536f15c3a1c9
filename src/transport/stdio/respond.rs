//! Responses to one message, and the state that all of a connection share.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use futures_lite::future::or;
use midge_contract::LOG_PREFIX;

use super::streams::Streams;
use crate::handler::call::HandlerCall;
use crate::handler::context::{Clock, Context};
use crate::handler::disconnect::Flow;
use crate::rpc::dispatch::Dispatched;
use crate::rpc::response::Response;
use crate::rpc::run::{self, NotificationSink, SendFuture};
use crate::server::Server;
use crate::server::settings::Settings;

/// What all answers of a connection share.
pub(super) struct Shared<S> {
    pub(super) streams: S,
    /// Handlers that have begun and not finished.
    pub(super) running: Cell<usize>,
    /// The calls that are not answered yet.
    pub(super) calls: RefCell<Vec<PendingCall>>,
}

/// A call that is not answered yet.
pub(super) struct PendingCall {
    /// The number of the message that it is a part of.
    pub(super) message: u64,
    pub(super) context: Context,
    /// It goes on for as long as its client listens.
    pub(super) listens: bool,
}

impl<S> Shared<S> {
    /// Cancels calls: whoever waits for one of them waits no more.
    pub(super) fn cancel(&self, which: impl Fn(&PendingCall) -> bool) {
        let calls = self.calls.borrow();
        calls.iter().filter(|call| which(call)).for_each(|call| call.context.outbox().cancel());
    }
}

impl<S: Streams> Shared<S> {
    /// Runs a handler for the client of the connection.
    async fn run(&self, server: &Server, call: HandlerCall) -> Flow<Response> {
        let mut listener = Listener { shared: self, context: call.context.clone() };
        let attribution = self.streams.panic_attribution();
        self.running.update(|running| running + 1);
        let response = run::run_handler(server, &mut listener, attribution, call).await;
        self.running.update(|running| running - 1);
        response
    }
}

/// Responds to a message, then runs deferred work of its handlers.
pub(super) async fn respond<S: Streams>(
    shared: Rc<Shared<S>>,
    server: Server,
    jobs: Vec<Dispatched>,
    batch: bool,
    message: u64,
) {
    let (mut contexts, mut line) = (Vec::new(), String::new());
    for job in jobs {
        let response = match job {
            Dispatched::Response(response) => response,
            Dispatched::Call(call) => {
                contexts.push(call.context.clone());
                match shared.run(&server, call).await {
                    Flow::Continue(response) => response,
                    // Nobody waits for it any more.
                    Flow::Break(_) => continue,
                }
            }
        };
        if let Some(cause) = &response.cause {
            shared.streams.log(&[LOG_PREFIX, cause].concat());
        }
        if batch {
            line.push(if line.is_empty() { '[' } else { ',' });
        }
        line.push_str(&response.json);
    }
    if !line.is_empty() {
        if batch {
            line.push(']');
        }
        shared.streams.outbox().send(line).await;
    }
    shared.calls.borrow_mut().retain(|call| call.message != message);
    let limit = server.settings().defer_timeout;
    if !run::run_deferred(&contexts, limit, &shared.streams.clock()).await {
        shared.streams.log(&[LOG_PREFIX, run::DEFERRED_WORK_CUT].concat());
    }
}

/// The client, as one of its calls has it.
struct Listener<'a, S> {
    shared: &'a Shared<S>,
    context: Context,
}

impl<S: Streams> NotificationSink for Listener<'_, S> {
    fn send<'a>(&'a mut self, notification: Option<&'a str>) -> SendFuture<'a> {
        let sent = self.shared.streams.outbox().send(notification.unwrap_or_default().to_owned());
        Box::pin(async {
            or(sent, self.context.outbox().cancelled()).await;
            Flow::Continue(())
        })
    }

    /// No proxy is in between, and the end of the input tells of a client that leaves.
    fn idle_limit(&self, _: &Settings, _: bool) -> Option<Duration> {
        None
    }

    fn clock(&self) -> Clock {
        self.shared.streams.clock()
    }
}
