//! The response of handlers: JSON, upgraded to a stream by the first notification.

use http::StatusCode;
use midge_contract::{LOG_PREFIX, MetadataWriter, Outcome, header};

use super::accept::Accepts;
use super::reply::Reply;
use super::transport::{Flow, ResponseHead, Transport};
use super::{origin, sse, status};
use crate::handler::context::Context;
use crate::handler::panic_attribution::PanicAttribution;
use crate::headers::map::Fields;
use crate::rpc::dispatch::Dispatched;
use crate::rpc::response::Response;
use crate::rpc::run;
use crate::server::Server;

/// Runs the jobs one after the other. Leaves the contexts of their handlers to the caller, who
/// also gets them when the client goes away in between.
pub(crate) async fn run<T: Transport>(
    server: &Server,
    writer: &mut Writer<'_, T>,
    attribution: &PanicAttribution,
    jobs: Vec<Dispatched>,
    contexts: &mut Vec<Context>,
) -> Flow {
    // Before the first of them: the head that tells the host goes out once.
    writer.run_to_completion =
        jobs.iter().any(|job| matches!(job, Dispatched::Call(call) if call.run_to_completion));
    for job in jobs {
        let response = match job {
            Dispatched::Response(response) => response,
            Dispatched::Call(call) => {
                if !writer.streams() {
                    // There is no way for notifications.
                    call.context.outbox().close();
                }
                contexts.push(call.context.clone());
                run::run_handler(server, writer, attribution, call).await?
            }
        };
        writer.respond(response);
    }
    Flow::Continue(())
}

/// Writes one answer, as JSON or as a stream of events.
pub(crate) struct Writer<'a, T> {
    transport: &'a mut T,
    accepts: Accepts,
    origin: Option<String>,
    metadata: MetadataWriter,
    streaming: bool,
    /// Tells the host, with the head of a stream, not to cut this exchange.
    run_to_completion: bool,
    /// Responses that wait for the answer to end, or to become a stream.
    responses: Vec<Response>,
    outcome: Outcome,
}

impl<'a, T: Transport> Writer<'a, T> {
    pub(crate) fn new(
        transport: &'a mut T,
        accepts: Accepts,
        origin: Option<String>,
        metadata: MetadataWriter,
    ) -> Self {
        Self {
            transport,
            accepts,
            origin,
            metadata,
            streaming: false,
            run_to_completion: false,
            responses: Vec::new(),
            outcome: Outcome::Ok,
        }
    }

    pub(crate) fn transport(&mut self) -> &mut T {
        self.transport
    }

    pub(crate) fn transport_ref(&self) -> &T {
        self.transport
    }

    /// Whether the answer may be a stream.
    pub(crate) fn streams(&self) -> bool {
        self.accepts.events
    }

    pub(crate) fn is_streaming(&self) -> bool {
        self.streaming
    }

    /// Adds a response to the answer.
    pub(crate) fn respond(&mut self, mut response: Response) {
        self.log_cause(response.cause.take());
        if self.outcome == Outcome::Ok {
            self.outcome = response.outcome;
        }
        self.responses.push(response);
    }

    /// Writes events. The first ones make the answer a stream, and go after the responses that
    /// were there before.
    pub(crate) async fn events(&mut self, events: &str) -> Flow {
        let mut bytes: String =
            self.responses.drain(..).map(|response| sse::event(&response.json)).collect();
        bytes.push_str(events);
        if self.streaming {
            return self.transport.write(bytes.as_bytes()).await;
        }
        self.streaming = true;
        let mut head = sse::head();
        if self.run_to_completion {
            head.headers.push(header::RUN_TO_COMPLETION, "1");
        }
        self.complete(&mut head, None);
        self.transport.start(head, bytes.as_bytes()).await
    }

    /// Writes what is left and ends the answer.
    pub(crate) async fn finish(mut self, batch: bool, modern: bool) -> Flow<Outcome> {
        // An error whose status matters keeps it, also where the client would rather have events.
        let status = |error| status::of_error(error, modern);
        let mut errors = self.responses.iter().filter_map(|response| response.error.as_ref());
        let matters = !batch && errors.any(|error| status(error) != StatusCode::OK);
        if !self.streaming && (self.accepts.json || matters) {
            return self.finish_json(batch, modern).await;
        }
        self.events("").await?;
        let mut trailers = Fields::default();
        trailers.push(header::EXCHANGE, MetadataWriter::default().finish(Some(self.outcome)));
        self.transport.finish(Some(trailers)).await?;
        Flow::Continue(self.outcome)
    }

    async fn finish_json(&mut self, batch: bool, modern: bool) -> Flow<Outcome> {
        let mut responses = std::mem::take(&mut self.responses);
        let reply = match responses.pop() {
            Some(response) if !batch => status::reply_to(response, modern),
            last => {
                let bodies = responses.into_iter().chain(last).map(|response| response.json);
                let array = format!("[{}]", bodies.collect::<Vec<_>>().join(","));
                Reply::json(StatusCode::OK, array, self.outcome)
            }
        };
        self.reply(reply).await
    }

    fn log_cause(&self, cause: Option<String>) {
        if let Some(cause) = cause {
            self.transport.log(&[LOG_PREFIX, &cause].concat());
        }
    }

    /// Writes a whole answer.
    pub(crate) async fn reply(&mut self, mut reply: Reply) -> Flow<Outcome> {
        self.log_cause(reply.cause.take());
        let outcome = reply.outcome;
        let (mut head, body) = reply.into_head();
        self.complete(&mut head, Some(outcome));
        self.transport.send(head, body).await?;
        Flow::Continue(outcome)
    }

    fn complete(&mut self, head: &mut ResponseHead, outcome: Option<Outcome>) {
        if let Some(origin) = self.origin.take() {
            origin::allow(&mut head.headers, origin);
        }
        let metadata = std::mem::take(&mut self.metadata);
        head.headers.push(header::EXCHANGE, metadata.finish(outcome));
    }
}
