//! Change notifications for clients: `subscriptions/listen`.
//!
//! Every exchange is an instance of its own, so nobody inside the server can tell the one that
//! listens of a change that another has made. It has to look where both can: a version in a store,
//! an upstream's events. That is the source of changes that a server's author supplies.

mod listen;
mod source;

use std::fmt;
use std::time::Duration;

use futures_lite::Stream;

use crate::protocol::capabilities::ServerCapabilities;

pub(crate) use listen::Listen;
use source::{Polled, Source, Streamed};

/// How long a client may listen: less than what hosts usually give to one exchange.
const LIFETIME: Duration = Duration::from_secs(50);

/// Something that clients can be told has changed.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Change {
    /// The list of tools.
    Tools,
    /// The list of prompts.
    Prompts,
    /// The list of resources, or of their templates.
    Resources,
    /// The resource at this URI.
    Resource(String),
}

/// Where a server learns of changes, and which of them it tells its clients.
///
/// Only what is named by [`tools`](Self::tools), [`prompts`](Self::prompts),
/// [`resources`](Self::resources) and [`resource_updates`](Self::resource_updates) is advertised.
///
/// ```
/// use std::time::Duration;
/// use midge::{Change, Resource, Server, Subscriptions};
///
/// /// A counter in a store that all instances share.
/// async fn version(of: Change) -> Option<u64> {
/// #   drop(of);
///     Some(7)
/// }
///
/// let server = Server::new("news", "1.0.0")
///     .resource(Resource::text("news://today", "today", "No news."))
///     .subscriptions(Subscriptions::polled(Duration::from_secs(2), version).resource_updates());
/// # server.validate().unwrap();
/// ```
///
/// A server that polls a page elsewhere:
///
/// ```
#[doc = include_str!("../../../examples/subscriptions.rs")]
/// ```
pub struct Subscriptions {
    source: Box<dyn Source>,
    tools: bool,
    prompts: bool,
    resources: bool,
    resource_updates: bool,
    lifetime: Duration,
}

impl Subscriptions {
    /// Looks up a version of each thing that a client listens to, again and again: whatever can
    /// be compared, as a counter, an `ETag` or the time of the last change. Where it differs from
    /// the last one that was seen, the client is told.
    ///
    /// `None` says that nobody can tell now, as when the store does not answer. That is no change,
    /// and not the end: the next look decides. So a lookup that fails ends in `.ok()`.
    ///
    /// The first look is what later ones are compared with. The acknowledgement waits for it, 0.3 s
    /// at most; what is seen for the first time after that is told as a change, so that a client
    /// that reads once it is acknowledged misses nothing. The interval is 0.1 s at least.
    #[must_use]
    pub fn polled<F, R, V>(interval: Duration, version: F) -> Self
    where
        F: Fn(Change) -> R + Clone + 'static,
        R: Future<Output = Option<V>> + 'static,
        V: PartialEq + 'static,
    {
        Self::new(Box::new(Polled { interval, version }))
    }

    /// Follows a stream of changes, made for each client from what it listens to. A stream that
    /// ends, ends the subscription.
    #[must_use]
    pub fn stream<F, S>(changes: F) -> Self
    where
        F: Fn(Vec<Change>) -> S + 'static,
        S: Stream<Item = Change> + 'static,
    {
        Self::new(Box::new(Streamed(changes)))
    }

    fn new(source: Box<dyn Source>) -> Self {
        let no = false;
        let lifetime = LIFETIME;
        Self { source, tools: no, prompts: no, resources: no, resource_updates: no, lifetime }
    }

    /// Tells of changes of the list of tools, as when another version is deployed.
    #[must_use]
    pub fn tools(mut self) -> Self {
        self.tools = true;
        self
    }

    /// Tells of changes of the list of prompts.
    #[must_use]
    pub fn prompts(mut self) -> Self {
        self.prompts = true;
        self
    }

    /// Tells of changes of the lists of resources and templates.
    #[must_use]
    pub fn resources(mut self) -> Self {
        self.resources = true;
        self
    }

    /// Tells of changes of single resources, of the first 100 that a client names.
    #[must_use]
    pub fn resource_updates(mut self) -> Self {
        self.resource_updates = true;
        self
    }

    /// Sets how long a client may listen before the subscription ends by the protocol's result, and
    /// the client listens again. Default: 50 s, since many hosts give an exchange a minute: one that
    /// gives less than the lifetime cuts the stream, without a result, and logs that as a timeout. A
    /// subscription also ends before [`Server::exchange_timeout`](crate::Server::exchange_timeout).
    #[must_use]
    pub fn lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = lifetime;
        self
    }

    /// What is announced: the lists of tools, prompts and resources, and single resources.
    pub(crate) fn announced(&self) -> [bool; 4] {
        [self.tools, self.prompts, self.resources, self.resource_updates]
    }

    /// Adds what is told to what the server has.
    pub(crate) fn declare(&self, capabilities: &mut ServerCapabilities<'_>) {
        if let Some(tools) = &mut capabilities.tools {
            tools.list_changed = self.tools;
        }
        if let Some(prompts) = &mut capabilities.prompts {
            prompts.list_changed = self.prompts;
        }
        if let Some(resources) = &mut capabilities.resources {
            resources.list_changed = self.resources;
            resources.subscribe = self.resource_updates;
        }
    }
}

impl fmt::Debug for Subscriptions {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Subscriptions")
            .field("tools", &self.tools)
            .field("prompts", &self.prompts)
            .field("resources", &self.resources)
            .field("resource_updates", &self.resource_updates)
            .field("lifetime", &self.lifetime)
            .finish_non_exhaustive()
    }
}
