//! The argument through which a handler talks to its client: [`Context`].

use std::cell::{Cell, OnceCell, RefCell};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::time::{Duration, Instant};

use serde::Serialize;
use serde_json::Value;

use crate::handler::outbox::Outbox;
use crate::handler::request::RequestInfo;
use crate::handler::result::MethodResult;
use crate::handler::rounds::Rounds;
use crate::headers::map::Headers;
use crate::protocol::Version;
use crate::protocol::capabilities::ClientCapabilities;
use crate::protocol::identity::Implementation;
use crate::protocol::jsonrpc::{Notification, RequestId};
use crate::protocol::logging::{LogMessage, LoggingLevel, ProgressParams};
use crate::protocol::meta::{RequestMeta, TraceContext};

pub(crate) type LocalFuture<T> = Pin<Box<dyn Future<Output = T>>>;

/// Waits for a time.
pub(crate) type Clock = Rc<dyn Fn(Duration) -> LocalFuture<()>>;

/// The request a handler answers: who asks, how to ask them, and how to tell them about progress.
///
/// A handler gets one when it is registered by the constructor that says so, as
/// [`Tool::with_context`](crate::Tool::with_context) or
/// [`Prompt::with_context`](crate::Prompt::with_context). Cloning is cheap.
///
/// ```
/// use midge::{Context, LoggingLevel, NoArguments, ToolError};
///
/// async fn index(_: NoArguments, context: Context) -> Result<String, ToolError> {
///     for file in 1..=3 {
///         context.progress(f64::from(file)).total(3.0).message("Indexing").await;
///     }
///     context.log(LoggingLevel::Info, "3 files").await;
///     Ok("Indexed 3 files.".to_owned())
/// }
/// # drop(index);
/// ```
///
/// A server that reports, logs, and leaves work for afterwards:
///
/// ```
#[doc = include_str!("../../examples/logging_progress.rs")]
/// ```
#[derive(Clone)]
pub struct Context(Rc<Inner>);

struct Inner {
    request: RequestInfo,
    outbox: Outbox,
    deadline: Cell<Option<Instant>>,
    clock: OnceCell<Clock>,
    last_progress: Cell<f64>,
    deferred: RefCell<Vec<LocalFuture<()>>>,
    spent: Cell<Option<LocalFuture<MethodResult>>>,
    /// There when the handler has first asked the client something.
    rounds: OnceCell<Rc<dyn Rounds>>,
}

impl Context {
    pub(crate) fn new(request: RequestInfo, outbox: Outbox) -> Self {
        Self(Rc::new(Inner {
            request,
            outbox,
            deadline: Cell::default(),
            clock: OnceCell::new(),
            last_progress: Cell::new(f64::NEG_INFINITY),
            deferred: RefCell::default(),
            spent: Cell::default(),
            rounds: OnceCell::new(),
        }))
    }

    /// Keeps the future of a handler that is done. Where contexts are left to an instance that ends,
    /// it need not be dropped.
    ///
    /// It must be an `async` block, which holds nothing when it has ended: one that held this context
    /// would keep both for ever.
    pub(crate) fn keep(&self, spent: LocalFuture<MethodResult>) {
        self.0.spent.set(Some(spent));
    }

    /// The id of the request, for logs. Clients choose it; it is not unique.
    #[must_use]
    pub fn request_id(&self) -> &RequestId {
        &self.0.request.id
    }

    /// The protocol version of this exchange.
    #[must_use]
    pub fn protocol_version(&self) -> Version {
        self.0.request.version
    }

    /// What the client declared in this request. Legacy clients declare it in a handshake that a
    /// stateless server cannot remember, so for them this is empty.
    #[must_use]
    pub fn client_capabilities(&self) -> ClientCapabilities {
        self.0.request.capabilities()
    }

    /// The settings with which the client has declared an extension in this request; `None` where
    /// it has not. Legacy clients declare it in a handshake, so for them this is `None`.
    #[must_use]
    pub fn extension(&self, id: &str) -> Option<Value> {
        self.client_capabilities().extensions.remove(id)
    }

    /// Who the client says it is. For display and logs only: anybody can say anything.
    #[must_use]
    pub fn client_info(&self) -> Option<Implementation> {
        let meta = RequestMeta::read(self.0.request.meta.as_deref()?).ok()?;
        serde_json::from_str(meta.client_info?.get()).ok()
    }

    /// The trace this request belongs to, to hand on to other services.
    #[must_use]
    pub fn trace_context(&self) -> TraceContext {
        self.0.request.meta.as_deref().map(TraceContext::read).unwrap_or_default()
    }

    /// A header of the HTTP request, whatever the case of its name. `None` for one that is
    /// repeated, of which nobody can tell who has set which, and for values that are not visible
    /// ASCII.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        Headers::new(&self.0.request.headers).get(name)
    }

    /// Who the caller is, as [`Server::principal`](crate::Server::principal) says; `None` for the
    /// anonymous.
    #[must_use]
    pub fn principal(&self) -> Option<String> {
        let request = &self.0.request;
        request.sealing.principal.and_then(|find| find(&Headers::new(&request.headers)))
    }

    /// When the server gives up on the handler, if it ever does; see
    /// [`Server::exchange_timeout`](crate::Server::exchange_timeout).
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.0.deadline.get()
    }

    /// Starts the time that the handler has. A limit beyond what a clock can say is none.
    pub(crate) fn start_clock(&self, limit: Option<Duration>) {
        self.0.deadline.set(limit.and_then(|limit| Instant::now().checked_add(limit)));
    }

    pub(crate) fn set_clock(&self, clock: Clock) {
        let _ = self.0.clock.set(clock);
    }

    /// Waits; for ever, where there is no clock.
    pub(crate) async fn sleep(&self, time: Duration) {
        match self.0.clock.get() {
            Some(clock) => clock(time).await,
            None => std::future::pending().await,
        }
    }

    /// Whether the client is known to be gone. Most handlers are dropped then; a tool that runs to
    /// completion, destructors and deferred work live to see it.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.0.outbox.is_cancelled()
    }

    /// Waits until the client is gone.
    pub async fn cancelled(&self) {
        self.0.outbox.cancelled().await;
    }

    /// Reports progress, in any unit; await what this returns.
    ///
    /// Nothing is sent where the client asked for none, where it takes no stream, or where
    /// `progress` is not more than the last one. The first progress turns the answer into a
    /// stream.
    #[must_use = "progress is sent when it is awaited"]
    pub fn progress(&self, progress: f64) -> Progress<'_> {
        Progress { context: self, progress, total: None, message: None }
    }

    /// Sends a log message to the client: a string, or any value that can be written as JSON.
    ///
    /// Nothing is sent where the client did not ask for this level. No secrets, no internals: the
    /// reader is whoever runs the client. Values that cannot be written as JSON are left out.
    pub async fn log(&self, level: LoggingLevel, data: impl Serialize) {
        let wanted = self.0.request.log_level.is_some_and(|least| level >= least);
        if wanted && self.0.outbox.is_open() {
            self.notify("notifications/message", &LogMessage { level, data }).await;
        }
    }

    /// Leaves work for after the answer: it runs when the answer is written, or when the component
    /// has noticed that the client is gone, within
    /// [`Server::defer_timeout`](crate::Server::defer_timeout) and what the host allows.
    ///
    /// WASI 0.2 tells a component of a client that has gone only when it reads or writes. Before
    /// the answer has started, a host may stop the component without a word, and `midge` does (with
    /// WASI 0.3 it cancels the call, and deferred work runs): a tool whose deferred work must not be lost starts its answer early
    /// ([`Tool::early_stream`](crate::Tool::early_stream)).
    ///
    /// ```
    /// # use midge::{Context, NoArguments, ToolError};
    /// async fn search(_: NoArguments, context: Context) -> Result<String, ToolError> {
    ///     context.defer(async { /* write a usage record */ });
    ///     Ok("found".to_owned())
    /// }
    /// # drop(search);
    /// ```
    pub fn defer(&self, work: impl Future<Output = ()> + 'static) {
        self.0.deferred.borrow_mut().push(Box::pin(work));
    }

    pub(crate) fn has_deferred(&self) -> bool {
        !self.0.deferred.borrow().is_empty()
    }

    pub(crate) fn take_deferred(&self) -> Vec<LocalFuture<()>> {
        self.0.deferred.take()
    }

    pub(crate) fn request(&self) -> &RequestInfo {
        &self.0.request
    }

    /// The rounds of this request, opened when they are first asked for.
    pub(crate) fn rounds(&self, open: fn(&RequestInfo) -> Rc<dyn Rounds>) -> Rc<dyn Rounds> {
        Rc::clone(self.0.rounds.get_or_init(|| open(&self.0.request)))
    }

    /// What the exchange ends with, where the handler waits for the client to answer.
    pub(crate) fn ending(&self) -> Option<MethodResult> {
        self.0.rounds.get()?.ending(&self.0.request)
    }

    pub(crate) fn outbox(&self) -> &Outbox {
        &self.0.outbox
    }

    pub(crate) async fn notify(&self, method: &'static str, params: &impl Serialize) {
        if let Ok(json) = serde_json::to_string(&Notification::new(method, params)) {
            self.0.outbox.send(json).await;
        }
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Context").field(&self.0.request).finish()
    }
}

/// One progress notification, made by [`Context::progress`] and sent by awaiting it.
#[derive(Debug)]
#[must_use = "progress is sent when it is awaited"]
pub struct Progress<'a> {
    context: &'a Context,
    progress: f64,
    total: Option<f64>,
    message: Option<String>,
}

impl Progress<'_> {
    /// How much there is to do, in the unit of the progress.
    pub fn total(mut self, total: f64) -> Self {
        self.total = Some(total);
        self
    }

    /// What is being done, for people.
    pub fn message(mut self, message: impl Into<String>) -> Self {
        self.message = Some(message.into());
        self
    }

    async fn send(self) {
        let inner = &self.context.0;
        let Some(progress_token) = &inner.request.progress_token else {
            return;
        };
        let is_more = self.progress.is_finite() && self.progress > inner.last_progress.get();
        if !is_more || !inner.outbox.is_open() {
            return;
        }
        inner.last_progress.set(self.progress);
        let total = self.total.filter(|total| total.is_finite());
        let message = self.message.as_deref();
        let params = ProgressParams { progress_token, progress: self.progress, total, message };
        self.context.notify("notifications/progress", &params).await;
    }
}

impl<'a> IntoFuture for Progress<'a> {
    type Output = ();
    type IntoFuture = Pin<Box<dyn Future<Output = ()> + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}
