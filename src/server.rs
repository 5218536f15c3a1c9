//! The server: who it is, what it offers, and how its exchanges go.

use std::borrow::Cow;
use std::collections::HashSet;
use std::time::Duration;

use crate::protocol::capabilities::ServerCapabilities;
use crate::protocol::discover::Cache;
use crate::protocol::identity::{Icon, Implementation};
use crate::settings::{Cors, Settings};
use crate::tool::Tool;

/// An MCP server: built for one exchange, by the function that [`export!`](crate::export) names.
///
/// ```
/// use midge::{NoArguments, Server, Tool};
///
/// fn server() -> Server {
///     Server::new("clock", env!("CARGO_PKG_VERSION"))
///         .instructions("Ask for the time before you plan a day.")
///         .tool(Tool::new("zone", async |_: NoArguments| "UTC").description("Names the time zone."))
/// }
///
/// # server().validate().unwrap();
/// ```
#[derive(Debug)]
pub struct Server {
    identity: Implementation,
    instructions: Option<Cow<'static, str>>,
    tools: Vec<Tool>,
    cache: Cache,
    pub(crate) settings: Settings,
}

/// What is wrong with a server, as [`Server::validate`] found it: one line for each problem.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the server would be refused by clients:\n{}", .0.join("\n"))]
pub struct InvalidServer(pub Vec<String>);

impl Server {
    /// A server by the name and version that it tells its clients.
    #[must_use]
    pub fn new(name: impl Into<String>, version: impl Into<String>) -> Self {
        Self {
            identity: Implementation::new(name, version),
            instructions: None,
            tools: Vec::new(),
            cache: Cache::default(),
            settings: Settings::default(),
        }
    }

    /// Adds a tool. Tools are listed in the order in which they were added.
    #[must_use]
    pub fn tool(mut self, tool: Tool) -> Self {
        self.tools.push(tool);
        self
    }

    /// Says how to use the server: clients may show it to their model.
    #[must_use]
    pub fn instructions(mut self, instructions: impl Into<Cow<'static, str>>) -> Self {
        self.instructions = Some(instructions.into());
        self
    }

    /// Sets the name for people.
    #[must_use]
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.identity.title = Some(title.into());
        self
    }

    /// Says what the server is.
    #[must_use]
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.identity.description = Some(description.into());
        self
    }

    /// Says where to read more.
    #[must_use]
    pub fn website_url(mut self, url: impl Into<String>) -> Self {
        self.identity.website_url = Some(url.into());
        self
    }

    /// Adds an icon.
    #[must_use]
    pub fn icon(mut self, icon: Icon) -> Self {
        self.identity.icons.push(icon);
        self
    }

    /// Says how long clients may keep `server/discover` and the lists. Default: not at all.
    #[must_use]
    pub fn cache(mut self, cache: Cache) -> Self {
        self.cache = cache;
        self
    }

    /// Sets the path of the endpoint, default `/mcp`. Every other path is answered 404.
    #[must_use]
    pub fn endpoint(mut self, path: impl Into<Cow<'static, str>>) -> Self {
        self.settings.endpoint = path.into();
        self
    }

    /// Lets pages of an origin, as `https://app.example.com`, call this server from a browser.
    ///
    /// Requests with any other `Origin` are answered 403, as a protection against DNS rebinding.
    /// Where the server is called on a loopback address, loopback origins are allowed, too.
    #[must_use]
    pub fn allow_origin(mut self, origin: impl Into<String>) -> Self {
        self.settings.origins.push(origin.into().to_ascii_lowercase());
        self
    }

    /// Sets how browsers of the allowed origins are answered.
    #[must_use]
    pub fn cors(mut self, cors: Cors) -> Self {
        self.settings.cors = cors;
        self
    }

    /// Sets how many bytes a request body may have, default 4 MiB. Larger ones are answered 413.
    #[must_use]
    pub fn max_body(mut self, bytes: usize) -> Self {
        self.settings.max_body = bytes;
        self
    }

    /// Sets how many bytes all headers of a request may have together, default 32 KiB. Larger ones
    /// are answered 431.
    #[must_use]
    pub fn max_headers(mut self, bytes: usize) -> Self {
        self.settings.max_headers = bytes;
        self
    }

    /// Sets how long a handler may be quiet before its answer becomes a stream, default 5 s, so
    /// that proxies keep the connection and a client's leaving is noticed.
    #[must_use]
    pub fn quiet_time(mut self, quiet: Duration) -> Self {
        self.settings.quiet = quiet;
        self
    }

    /// Sets how long a stream may be silent before a keep-alive comment is sent, default 15 s; at
    /// least 100 ms.
    #[must_use]
    pub fn keep_alive(mut self, interval: Duration) -> Self {
        self.settings.keep_alive = interval.max(Duration::from_millis(100));
        self
    }

    /// Sets how long a handler may take; then it is dropped and the client is told. Default: as
    /// long as the host lets it.
    #[must_use]
    pub fn time_limit(mut self, limit: Duration) -> Self {
        self.settings.time_limit = Some(limit);
        self
    }

    /// Sets how long all work left by [`Context::defer`](crate::Context::defer) may take together,
    /// default 1 s. Hosts may allow less.
    #[must_use]
    pub fn defer_limit(mut self, limit: Duration) -> Self {
        self.settings.defer_limit = limit;
        self
    }

    /// Finds what clients would hold against this server: names that the protocol does not allow
    /// or that occur twice, argument types that are no objects, missing descriptions. And what
    /// they would rely on in vain: rules of schemas that nothing enforces.
    ///
    /// [`export!`](crate::export) makes a unit test of it.
    ///
    /// # Errors
    /// All problems together, each naming its tool.
    pub fn validate(&self) -> Result<(), InvalidServer> {
        let mut names = HashSet::new();
        let mut problems = Vec::new();
        if !self.settings.endpoint.starts_with('/') {
            problems.push(format!("the endpoint `{}` must start with /", self.settings.endpoint));
        }
        let bad = |origin: &&String| !is_origin(origin);
        problems.extend(self.settings.origins.iter().filter(bad).map(|origin| {
            format!("`{origin}` is not an origin like https://app.example.com, without a path")
        }));
        for tool in &self.tools {
            let name = tool.name();
            problems.extend(tool.problems().iter().map(|why| format!("tool `{name}`: {why}")));
            if !names.insert(name) {
                problems.push(format!("tool `{name}`: there are two of that name"));
            }
        }
        if problems.is_empty() { Ok(()) } else { Err(InvalidServer(problems)) }
    }

    pub(crate) fn identity(&self) -> &Implementation {
        &self.identity
    }

    pub(crate) fn instructions_text(&self) -> Option<&str> {
        self.instructions.as_deref()
    }

    pub(crate) fn cache_policy(&self) -> Cache {
        self.cache
    }

    pub(crate) fn tools(&self) -> &[Tool] {
        &self.tools
    }

    pub(crate) fn find_tool(&self, name: &str) -> Option<&Tool> {
        self.tools.iter().find(|tool| tool.name() == name)
    }

    /// What is here, and nothing that is not. Log messages may come from any handler.
    pub(crate) fn capabilities(&self) -> ServerCapabilities {
        ServerCapabilities {
            tools: (!self.tools.is_empty()).then(Default::default),
            logging: Some(Default::default()),
        }
    }
}

/// Whether a browser could send this as its `Origin`: scheme, host and maybe a port, no more.
fn is_origin(origin: &str) -> bool {
    origin.split_once("://").is_some_and(|(scheme, host)| {
        !scheme.is_empty()
            && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
            && !host.is_empty()
            && !host.contains(['/', '?', '#', '@', '*', ' '])
    })
}
