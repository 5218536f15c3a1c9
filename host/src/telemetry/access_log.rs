//! The access log: one line for each exchange.

use std::{
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use http::{HeaderMap, Method, StatusCode, Uri, Version};
use midge_contract::{Metadata, Outcome};

use super::{
    cancellation::{Cancellation, Release},
    excerpt::field,
    fault::Fault,
    in_flight::InFlightGuard,
    liveness::CloseReason,
    metadata::{RawMetadata, strip_trailer_announcement, take_run_to_completion},
};
use crate::config::Config;

/// What is known of a running exchange, shared by all parts of the host that serve it.
///
/// Writes the line of the access log when the last reference is dropped. So there is exactly one line,
/// after the exit of the guest and the last byte of the response.
pub(crate) struct ExchangeRecord {
    exchange: u64,
    started: Instant,
    /// `None` where a guest serves a client over standard input and output.
    request: Option<RequestLine>,
    bytes: AtomicU64,
    cancellation: Cancellation,
    facts: Mutex<Facts>,
    /// `None` over standard input and output, and for a pooled instance, whose exchanges have their
    /// own.
    in_flight: Option<InFlightGuard>,
    is_logged: bool,
}

struct RequestLine {
    method: Method,
    uri: Uri,
    is_http2: bool,
}

#[derive(Default)]
struct Facts {
    status: Option<StatusCode>,
    metadata: RawMetadata,
    /// The first event that ended the exchange early. Later ones follow from it.
    outcome: Option<Outcome>,
    cause: Option<String>,
}

impl ExchangeRecord {
    pub(crate) fn new<B>(
        exchange: u64,
        request: &http::Request<B>,
        in_flight: InFlightGuard,
    ) -> Self {
        let line = RequestLine {
            method: request.method().clone(),
            uri: request.uri().clone(),
            is_http2: request.version() == Version::HTTP_2,
        };
        Self::start(exchange, Some(line), Some(in_flight))
    }

    /// Creates the record of a pooled instance, for its output. It writes no line. `exchange` is the
    /// first one of the instance.
    pub(crate) fn of_instance(exchange: u64) -> Self {
        let mut record = Self::start(exchange, None, None);
        record.is_logged = false;
        record
    }

    fn start(
        exchange: u64,
        request: Option<RequestLine>,
        in_flight: Option<InFlightGuard>,
    ) -> Self {
        Self {
            exchange,
            started: Instant::now(),
            request,
            bytes: AtomicU64::new(0),
            cancellation: Cancellation::default(),
            facts: Mutex::default(),
            in_flight,
            is_logged: true,
        }
    }

    /// Returns the number of the exchange.
    pub(crate) fn exchange(&self) -> u64 {
        self.exchange
    }

    pub(crate) fn started(&self) -> Instant {
        self.started
    }

    /// Returns the time at which the exchange must have ended.
    pub(crate) fn deadline(&self, config: &Config) -> tokio::time::Instant {
        tokio::time::Instant::from_std(self.started) + config.exchange_timeout
    }

    pub(crate) fn cancellation(&self) -> &Cancellation {
        &self.cancellation
    }

    /// The guest has sent its head: takes the fields that are for the host out of it.
    pub(crate) fn response_head(&self, status: StatusCode, head: &mut HeaderMap) {
        if take_run_to_completion(head) {
            self.cancellation.run_to_completion();
        }
        self.cancellation.head_sent();
        strip_trailer_announcement(head);
        let mut facts = self.facts();
        facts.status = Some(status);
        facts.metadata.take(head);
    }

    /// The guest has sent its trailers: takes the fields that are for the host out of them.
    pub(crate) fn response_trailers(&self, trailers: &mut HeaderMap) {
        self.facts().metadata.take(trailers);
    }

    /// Bytes of the response body were handed to the connection.
    pub(crate) fn response_bytes(&self, bytes: usize) {
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Says whether a piece of the response is waiting for the client to receive it.
    pub(crate) fn response_waits(&self, waits: bool) {
        if self.request.as_ref().is_some_and(|request| request.is_http2) {
            self.in_flight.iter().for_each(|guard| guard.response_waits(self.exchange, waits));
        }
    }

    /// The request was read to its end.
    pub(crate) fn request_read(&self) {
        self.in_flight.iter().for_each(InFlightGuard::request_read);
    }

    /// The host sends its own response in place of the guest's.
    pub(crate) fn fault(&self, fault: &Fault) {
        self.cut_short(fault.outcome(), &fault.cause());
        self.facts().status = Some(fault.status());
    }

    /// The connection has all of the response.
    pub(crate) fn response_complete(&self) {
        self.cancellation.release(Release::Complete);
    }

    /// The connection has ended: the client has disconnected, unless the host has closed it.
    pub(crate) fn client_gone(&self, cause: &str) {
        self.cancellation.release(Release::Disconnected);
        match self.close_reason() {
            Some(reason) => self.cut_short(reason.outcome(), reason.cause()),
            None => self.cut_short(Outcome::ClientGone, cause),
        }
    }

    /// The guest says that its client has disconnected.
    pub(crate) fn guest_noticed(&self, cause: &str) {
        self.cancellation.notice();
        self.client_gone(cause);
    }

    /// The guest says that it has panicked. This explains the trap that follows.
    pub(crate) fn guest_panicked(&self, cause: &str) {
        self.cut_short(Outcome::Trapped, cause);
    }

    /// Records what has ended the exchange early. The first outcome and the first cause win.
    pub(crate) fn cut_short(&self, outcome: Outcome, cause: &str) {
        let mut facts = self.facts();
        let is_first = facts.outcome.is_none();
        if is_first {
            facts.outcome = Some(outcome);
        }
        if is_first || facts.cause.is_none() {
            facts.cause = first_line(cause);
        }
    }

    /// Records a cause without an outcome.
    pub(crate) fn note(&self, cause: &str) {
        let mut facts = self.facts();
        if facts.cause.is_none() {
            facts.cause = first_line(cause);
        }
    }

    /// Whether the status of the response is a server error.
    pub(crate) fn is_server_error(&self) -> bool {
        self.facts().status.is_some_and(|status| status.is_server_error())
    }

    /// Whether the host has closed the connection because the client did not receive the response.
    pub(crate) fn client_stalled(&self) -> bool {
        self.close_reason() == Some(CloseReason::ClientStalled)
    }

    /// Returns the message of the guest's panic.
    pub(crate) fn panic_message(&self) -> Option<String> {
        let facts = self.facts();
        (facts.outcome == Some(Outcome::Trapped)).then(|| facts.cause.clone()).flatten()
    }

    fn close_reason(&self) -> Option<CloseReason> {
        self.in_flight.as_ref().and_then(InFlightGuard::close_reason)
    }

    fn facts(&self) -> MutexGuard<'_, Facts> {
        self.facts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// For connections over standard input and output.
#[cfg(feature = "cli")]
impl ExchangeRecord {
    /// Creates the record of a connection over standard input and output.
    pub(crate) fn of_stdio(exchange: u64) -> Self {
        Self::start(exchange, None, None)
    }

    /// Whether the client has ended the exchange early.
    pub(crate) fn client_is_gone(&self) -> bool {
        self.facts().outcome == Some(Outcome::ClientGone)
    }

    /// Returns the cause that is known so far.
    pub(crate) fn cause(&self) -> Option<String> {
        self.facts().cause.clone()
    }
}

#[cfg(test)]
impl ExchangeRecord {
    pub(crate) fn for_test() -> std::sync::Arc<Self> {
        std::sync::Arc::new(Self::new(1, &http::Request::new(()), InFlightGuard::for_test()))
    }

    /// Returns the outcome that is known so far.
    pub(crate) fn outcome(&self) -> Outcome {
        let facts = self.facts();
        facts.outcome(&facts.metadata.parse())
    }
}

fn first_line(text: &str) -> Option<String> {
    text.lines().map(str::trim).find(|line| !line.is_empty()).map(str::to_owned)
}

impl Facts {
    /// Returns what ended the exchange early, or else what the guest says, or else what the status
    /// says.
    fn outcome(&self, metadata: &Metadata<'_>) -> Outcome {
        self.outcome.or(metadata.outcome).unwrap_or(match self.status {
            Some(status) if status.is_success() => Outcome::Ok,
            _ => Outcome::Rejected,
        })
    }
}

impl Drop for ExchangeRecord {
    fn drop(&mut self) {
        if !self.is_logged {
            return;
        }
        let facts = std::mem::take(&mut *self.facts());
        let metadata = facts.metadata.parse();
        let outcome = match self.request {
            Some(_) => facts.outcome(&metadata),
            None => facts.outcome.unwrap_or(Outcome::Ok),
        };
        self.log(outcome, &facts, &metadata);
    }
}

impl ExchangeRecord {
    fn log(&self, outcome: Outcome, facts: &Facts, metadata: &Metadata<'_>) {
        let request = self.request.as_ref();
        // The level of an event is a constant of its call site.
        macro_rules! line {
            ($level:ident) => {
                tracing::$level!(
                    target: "midge::exchange",
                    exchange = self.exchange,
                    http_method = request.map(|request| field(request.method.as_str())),
                    path = request.map(|request| field(request.uri.path())),
                    status = facts.status.map(|status| status.as_u16()),
                    outcome = outcome.as_str(),
                    duration_ms = self.started.elapsed().as_micros() as f64 / 1000.0,
                    bytes = request.map(|_| self.bytes.load(Ordering::Relaxed)),
                    era = metadata.era.as_deref().map(field),
                    method = metadata.method.as_deref().map(field),
                    name = metadata.name.as_deref().map(field),
                    id = metadata.id.as_deref().map(field),
                    cause = facts.cause.as_deref(),
                )
            };
        }
        match outcome {
            Outcome::Trapped => line!(error),
            Outcome::ClientGone | Outcome::TimedOut | Outcome::Overloaded => line!(warn),
            Outcome::Ok | Outcome::ToolError | Outcome::ProtocolError | Outcome::Rejected
                if facts.status.is_some_and(|status| status.is_server_error()) =>
            {
                line!(warn);
            }
            Outcome::Ok | Outcome::ToolError | Outcome::ProtocolError | Outcome::Rejected => {
                line!(info);
            }
        }
    }
}
