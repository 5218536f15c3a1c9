//! The one log line of an exchange.

use std::{
    sync::{
        Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Instant,
};

use http::{HeaderMap, Method, StatusCode, Uri, Version};

use super::{cancellation::Leash, fault::Fault, in_flight::InFlightGuard, liveness::Closed};
use crate::{
    config::Config,
    contract::{self, Outcome, Said, Told},
};

/// What happened in an exchange, gathered from everyone who takes part in it.
///
/// The last of them to let go of it writes the line: so there is exactly one, and it comes after
/// the guest's end and the last byte of the answer.
pub(crate) struct Report {
    exchange: u64,
    started: Instant,
    /// None where a guest serves a client over its standard streams.
    request: Option<RequestLine>,
    bytes: AtomicU64,
    run_to_completion: AtomicBool,
    refusal: OnceLock<Fault>,
    leash: Leash,
    facts: Mutex<Facts>,
    /// Holds the connection and the server open until the exchange is over. None for an instance
    /// with several exchanges, which has no line of its own, and on standard streams.
    busy: Option<InFlightGuard>,
    has_line: bool,
}

struct RequestLine {
    method: Method,
    uri: Uri,
    is_http2: bool,
}

#[derive(Default)]
struct Facts {
    status: Option<StatusCode>,
    said: Said,
    /// The first thing that cut the exchange short; what follows from it is not news.
    verdict: Option<Outcome>,
    cause: Option<String>,
}

impl Report {
    pub(crate) fn new<B>(exchange: u64, request: &http::Request<B>, busy: InFlightGuard) -> Self {
        let line = RequestLine {
            method: request.method().clone(),
            uri: request.uri().clone(),
            is_http2: request.version() == Version::HTTP_2,
        };
        Self::begun(exchange, Some(line), Some(busy))
    }

    /// A report on a connection over the standard streams.
    pub(crate) fn on_streams(exchange: u64) -> Self {
        Self::begun(exchange, None, None)
    }

    /// For what is not of one exchange: the output of an instance that has several. `exchange` is
    /// the first of them.
    pub(crate) fn of_instance(exchange: u64) -> Self {
        let mut report = Self::begun(exchange, None, None);
        report.has_line = false;
        report
    }

    fn begun(exchange: u64, request: Option<RequestLine>, busy: Option<InFlightGuard>) -> Self {
        Self {
            exchange,
            started: Instant::now(),
            request,
            bytes: AtomicU64::new(0),
            run_to_completion: AtomicBool::new(false),
            refusal: OnceLock::new(),
            leash: Leash::default(),
            facts: Mutex::default(),
            busy,
            has_line: true,
        }
    }

    /// What the guest has panicked for.
    pub(crate) fn panic(&self) -> Option<String> {
        let facts = self.facts();
        (facts.verdict == Some(Outcome::Trapped)).then(|| facts.cause.clone()).flatten()
    }

    pub(crate) fn exchange(&self) -> u64 {
        self.exchange
    }

    pub(crate) fn started(&self) -> Instant {
        self.started
    }

    /// When the exchange must be over.
    pub(crate) fn deadline(&self, config: &Config) -> tokio::time::Instant {
        tokio::time::Instant::from_std(self.started) + config.exchange_timeout
    }

    /// Reads and strips what the guest says in its head.
    pub(crate) fn head(&self, status: StatusCode, head: &mut HeaderMap) {
        if contract::take_run_to_completion(head) {
            self.run_to_completion.store(true, Ordering::Relaxed);
        }
        self.leash.answered();
        contract::strip_trailer_announcement(head);
        let mut facts = self.facts();
        facts.status = Some(status);
        facts.said.take(head);
    }

    /// Reads and strips what the guest says in its trailer.
    pub(crate) fn trailer(&self, trailer: &mut HeaderMap) {
        self.facts().said.take(trailer);
    }

    /// Nothing more of the request is expected.
    pub(crate) fn request_is_read(&self) {
        self.busy.iter().for_each(InFlightGuard::request_is_read);
    }

    /// The guest asks for more of the request, and may have to wait for it.
    pub(crate) fn request_is_asked_for(&self, waits: bool) {
        self.busy.iter().for_each(|busy| busy.request_is_asked_for(waits));
    }

    /// The request ended before its end, and the guest was told.
    pub(crate) fn request_is_cut(&self) {
        self.busy.iter().for_each(InFlightGuard::request_is_cut);
        self.leash.cut_request();
    }

    /// Whether the guest asked not to be cut.
    pub(crate) fn runs_to_completion(&self) -> bool {
        self.run_to_completion.load(Ordering::Relaxed)
    }

    /// How the guest stands to its client.
    pub(crate) fn leash(&self) -> &Leash {
        &self.leash
    }

    /// A piece of the answer waits to be taken, or none does.
    pub(crate) fn waits(&self, waits: bool) {
        if self.request.as_ref().is_some_and(|request| request.is_http2) {
            self.busy.iter().for_each(|busy| busy.waits(self.exchange, waits));
        }
    }

    /// Whether the client left the answer waiting, and was cut for it.
    pub(crate) fn client_was_stuck(&self) -> bool {
        self.closed_by_host() == Some(Closed::ClientStuck)
    }

    pub(crate) fn wrote(&self, bytes: usize) {
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// The host's own answer takes the place of the guest's.
    pub(crate) fn fault(&self, fault: &Fault) {
        self.cut(fault.outcome(), &fault.cause());
        self.facts().status = Some(fault.status());
    }

    /// The connection is gone: the client left, unless it was the host that closed it.
    pub(crate) fn client_gone(&self, cause: &str) {
        match self.closed_by_host() {
            Some(closed) => self.cut(closed.outcome(), closed.cause()),
            None => self.cut(Outcome::ClientGone, cause),
        }
    }

    /// Whether the answer says that the server has failed.
    pub(crate) fn is_failure(&self) -> bool {
        self.facts().status.is_some_and(|status| status.is_server_error())
    }

    /// Whether the exchange was cut short by its client.
    pub(crate) fn client_is_gone(&self) -> bool {
        self.facts().verdict == Some(Outcome::ClientGone)
    }

    /// The guest says that its client has gone.
    pub(crate) fn noticed(&self, cause: &str) {
        self.leash.notice();
        self.client_gone(cause);
    }

    /// The guest's panic: it explains the trap that follows.
    pub(crate) fn panicked(&self, cause: &str) {
        self.cut(Outcome::Trapped, cause);
    }

    /// Records what cut the exchange short, if nothing did before.
    pub(crate) fn cut(&self, outcome: Outcome, cause: &str) {
        let mut facts = self.facts();
        if facts.verdict.is_none() {
            facts.verdict = Some(outcome);
            facts.cause = first_line(cause);
        } else if facts.cause.is_none() {
            facts.cause = first_line(cause);
        }
    }

    /// Adds a cause without a verdict.
    pub(crate) fn note(&self, cause: &str) {
        let mut facts = self.facts();
        if facts.cause.is_none() {
            facts.cause = first_line(cause);
        }
    }

    /// The request turns out to be one the host answers itself.
    pub(crate) fn refuse(&self, fault: Fault) {
        self.cut(fault.outcome(), &fault.cause());
        // The first refusal is the one that is answered.
        let _ = self.refusal.set(fault);
    }

    pub(crate) fn refusal(&self) -> Option<&Fault> {
        self.refusal.get()
    }

    /// Why the host closed the connection, if it was the host.
    fn closed_by_host(&self) -> Option<Closed> {
        self.busy.as_ref().and_then(InFlightGuard::closed_by_host)
    }

    /// What cut it short, as it is known so far.
    pub(crate) fn cause(&self) -> Option<String> {
        self.facts().cause.clone()
    }

    fn facts(&self) -> MutexGuard<'_, Facts> {
        self.facts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
impl Report {
    pub(crate) fn for_test() -> std::sync::Arc<Self> {
        std::sync::Arc::new(Self::new(1, &http::Request::new(()), InFlightGuard::for_test()))
    }

    /// The outcome, as it is known so far.
    pub(crate) fn outcome(&self) -> Outcome {
        let facts = self.facts();
        facts.outcome(&facts.said.read())
    }
}

fn first_line(text: &str) -> Option<String> {
    text.lines().map(str::trim).find(|line| !line.is_empty()).map(str::to_owned)
}

impl Facts {
    fn outcome(&self, told: &Told<'_>) -> Outcome {
        self.verdict.or(told.outcome).unwrap_or(match self.status {
            Some(status) if status.is_success() => Outcome::Ok,
            _ => Outcome::Rejected,
        })
    }
}

impl Drop for Report {
    fn drop(&mut self) {
        if !self.has_line {
            return;
        }
        let facts = std::mem::take(&mut *self.facts());
        let told = facts.said.read();
        let outcome = match self.request {
            Some(_) => facts.outcome(&told),
            None => facts.verdict.unwrap_or(Outcome::Ok),
        };
        let request = self.request.as_ref();
        // The level of an event is a constant of its call site.
        macro_rules! line {
            ($level:ident) => {
                tracing::$level!(
                    target: "midge::exchange",
                    exchange = self.exchange,
                    http_method = request.map(|request| request.method.as_str()),
                    path = request.map(|request| request.uri.path()),
                    status = facts.status.map(|status| status.as_u16()),
                    outcome = outcome.as_str(),
                    duration_ms = self.started.elapsed().as_micros() as f64 / 1000.0,
                    bytes = request.map(|_| self.bytes.load(Ordering::Relaxed)),
                    era = told.era.as_deref(),
                    method = told.method.as_deref(),
                    name = told.name.as_deref(),
                    id = told.id.as_deref(),
                    cause = facts.cause,
                )
            };
        }
        match outcome {
            Outcome::Ok | Outcome::ToolError | Outcome::ProtocolError | Outcome::Rejected => {
                line!(info);
            }
            Outcome::ClientGone | Outcome::TimedOut | Outcome::Overloaded => {
                line!(warn);
            }
            Outcome::Trapped => {
                line!(error);
            }
        }
    }
}
