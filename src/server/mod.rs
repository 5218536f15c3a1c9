//! The server builder: identity, features and settings of exchanges.

mod apps;
pub(crate) mod settings;
pub(crate) mod validate;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;
use serde_json::value::RawValue;

use crate::configuration::{Configuration, Source};
use crate::features::completion::{Of, Subject};
use crate::features::list::paging;
use crate::features::list::{List, Lists, Paging};
use crate::features::prompt::{self, Prompt, Prompts};
use crate::features::resource::{self, Resource, Resources};
use crate::features::subscription::{Listen, Subscriptions};
use crate::features::tool::Tool;
use crate::handler::call::HandlerCall;
use crate::handler::params;
use crate::handler::request::RequestInfo;
use crate::handler::result::Failure;
use crate::headers::map::Headers;
use crate::protocol::Version;
use crate::protocol::capabilities::ServerCapabilities;
use crate::protocol::discover::Cache;
use crate::protocol::identity::{Icon, Implementation};
use crate::seal::{InvalidKeys, Policy, SealingKeys};
use crate::server::settings::{Configured, Cors, Settings};

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
pub struct Server(Box<Parts>);

/// In a box, since each step of building moves the server: with 200 tools, 200 times.
#[derive(Debug)]
struct Parts {
    identity: Implementation,
    instructions: Option<Cow<'static, str>>,
    tools: Vec<Tool>,
    prompts: Option<Box<dyn Prompts>>,
    resources: Option<Box<dyn Resources>>,
    /// There where something completes, so that other servers need not link it.
    completion: Option<Complete>,
    subscriptions: Option<Box<dyn Listen>>,
    extensions: BTreeMap<String, Value>,
    lists: Lists,
    settings: Settings,
}

/// What answers `completion/complete`.
pub(crate) type Complete =
    fn(&Server, Option<&RawValue>, RequestInfo) -> Result<HandlerCall, Failure>;

impl Server {
    /// A server by the name and version that it tells its clients.
    #[must_use]
    pub fn new(name: impl Into<String>, version: impl Into<String>) -> Self {
        Self(Box::new(Parts {
            identity: Implementation::new(name, version),
            instructions: None,
            tools: Vec::new(),
            prompts: None,
            resources: None,
            completion: None,
            subscriptions: None,
            extensions: BTreeMap::new(),
            lists: Lists::default(),
            settings: Settings::default(),
        }))
    }

    /// Adds a tool. Tools are listed in the order in which they were added.
    #[must_use]
    pub fn tool(mut self, tool: Tool) -> Self {
        self.0.tools.push(tool);
        self
    }

    /// Adds a prompt. Prompts are listed in the order in which they were added.
    #[must_use]
    pub fn prompt(mut self, prompt: Prompt) -> Self {
        if prompt.completes() {
            self.0.completion = Some(complete);
        }
        self.0.prompts.get_or_insert_with(|| Box::<prompt::Registry>::default()).add(prompt);
        self
    }

    /// Adds a resource, or a template of resources. Both are listed in the order in which they
    /// were added; a URI that fits several templates is read by the first of them.
    #[must_use]
    pub fn resource(mut self, resource: impl Into<Resource>) -> Self {
        let resource = resource.into();
        if resource.completes() {
            self.0.completion = Some(complete);
        }
        self.0.resources.get_or_insert_with(|| Box::<resource::Registry>::default()).add(resource);
        self
    }

    /// Tells clients of changes of what they listen to (`subscriptions/listen`; modern clients).
    #[must_use]
    pub fn subscriptions(mut self, subscriptions: Subscriptions) -> Self {
        self.0.subscriptions = Some(Box::new(subscriptions));
        self
    }

    /// Declares an extension of the protocol, by an id with a prefix as `com.example/name`, with
    /// its settings: an object, empty for none. What the extension means is for the handlers to
    /// do, where the client has declared it, too ([`Context::extension`](crate::Context::extension)).
    ///
    /// ```
    #[doc = include_str!("../../examples/extension.rs")]
    /// ```
    #[must_use]
    pub fn extension(mut self, id: impl Into<String>, settings: Value) -> Self {
        self.0.extensions.insert(id.into(), settings);
        self
    }

    /// Says how to use the server: clients may show it to their model.
    #[must_use]
    pub fn instructions(mut self, instructions: impl Into<Cow<'static, str>>) -> Self {
        self.0.instructions = Some(instructions.into());
        self
    }

    /// Sets the name for people.
    #[must_use]
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.0.identity.title = Some(title.into());
        self
    }

    /// Says what the server is.
    #[must_use]
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.0.identity.description = Some(description.into());
        self
    }

    /// Says where to read more.
    #[must_use]
    pub fn website_url(mut self, url: impl Into<String>) -> Self {
        self.0.identity.website_url = Some(url.into());
        self
    }

    /// Adds an icon.
    #[must_use]
    pub fn icon(mut self, icon: Icon) -> Self {
        self.0.identity.icons.push(icon);
        self
    }

    /// Says how long clients may keep `server/discover`, the lists and the contents of resources.
    /// Default: not at all.
    #[must_use]
    pub fn cache(mut self, cache: Cache) -> Self {
        self.0.lists.cache = cache;
        self
    }

    /// Says how long clients may keep one of the lists, where that differs from the rest.
    #[must_use]
    pub fn list_cache(mut self, list: List, cache: Cache) -> Self {
        self.0.lists.own_cache.push((list, cache));
        self
    }

    /// Cuts lists into pages of so many items. Needs [sealing keys](Self::sealing_keys), since
    /// cursors travel through the client. Default: each list is one page.
    ///
    /// ```
    #[doc = include_str!("../../examples/pages.rs")]
    /// ```
    #[must_use]
    pub fn page_size(mut self, items: usize) -> Self {
        self.0.lists.paging = Some(Paging { size: items.max(1), paginate: paging::paginate });
        self
    }

    /// Sets the path of the endpoint, default `/mcp`, also good with a slash at its end. Every other
    /// path is answered 404.
    #[must_use]
    pub fn endpoint(mut self, path: impl Into<Cow<'static, str>>) -> Self {
        self.0.settings.endpoint = path.into();
        self
    }

    /// Lets pages of an origin, as `https://app.example.com`, call this server from a browser.
    ///
    /// Requests with any other `Origin` are answered 403, as a protection against DNS rebinding.
    /// Where the server is called on a loopback address, loopback origins are allowed, too.
    #[must_use]
    pub fn allow_origin(mut self, origin: impl Into<String>) -> Self {
        self.0.settings.origins.push(origin.into().to_ascii_lowercase());
        self
    }

    /// Sets how browsers of the allowed origins are answered.
    #[must_use]
    pub fn cors(mut self, cors: Cors) -> Self {
        self.0.settings.cors = cors;
        self
    }

    /// Sets how many JSON values a message may have, default 100,000. A request with more is answered
    /// -32602, before any of them is read.
    ///
    /// Numbers, strings, lists, objects and so on count as one each, an empty list or object as two.
    /// A value that is built takes up to 400 bytes, however short its text is, so the default keeps
    /// a component within the 128 MiB of memory that hosts give: raise both together.
    #[must_use]
    pub fn max_values(mut self, values: usize) -> Self {
        self.0.settings.max_values = values;
        self
    }

    /// Sets how many bytes a request body may have, default 4 MiB. Larger ones are answered 413.
    /// [`Server::max_values`] limits the number of values in a body.
    #[must_use]
    pub fn max_body(mut self, bytes: usize) -> Self {
        self.0.settings.max_body = bytes;
        self
    }

    /// Sets how many bytes all headers of a request may have together, default 32 KiB. Larger ones
    /// are answered 431.
    #[must_use]
    pub fn max_header_bytes(mut self, bytes: usize) -> Self {
        self.0.settings.max_header_bytes = bytes;
        self
    }

    /// Sets how long a handler may be quiet before its answer becomes a stream, default 5 s, so
    /// that proxies keep the connection and a client's leaving is noticed.
    #[must_use]
    pub fn stream_after(mut self, after: Duration) -> Self {
        self.0.settings.stream_after = after;
        self
    }

    /// Sets how long a stream may be silent before a keep-alive comment is sent, default 15 s; at
    /// least 100 ms.
    #[must_use]
    pub fn keep_alive(mut self, interval: Duration) -> Self {
        self.0.settings.keep_alive = interval.max(Duration::from_millis(100));
        self
    }

    /// Sets how long a handler may take; then it is dropped and the client is told. Default: as
    /// long as the host lets it.
    #[must_use]
    pub fn exchange_timeout(mut self, limit: Duration) -> Self {
        self.0.settings.exchange_timeout = Some(limit);
        self
    }

    /// Sets how long all work left by [`Context::defer`](crate::Context::defer) may take together,
    /// default 1 s. Hosts may allow less.
    #[must_use]
    pub fn defer_timeout(mut self, limit: Duration) -> Self {
        self.0.settings.defer_timeout = limit;
        self
    }

    /// Takes from a source what belongs to the deployment: `sealing_keys`, in the form of
    /// [`SealingKeys::parse`], and `allowed_origins`, with blanks or commas between them, which are
    /// allowed besides those of [`Self::allow_origin`]. Default: the sealing keys are in the
    /// [environment](crate::Environment), and there are no such origins.
    ///
    /// Each value is read when an exchange needs it, and not before. Keys that
    /// [`Self::sealing_keys`] gets take precedence. An origin is refused when the source cannot be
    /// read, and the log says why.
    #[must_use]
    pub fn configure(mut self, configuration: impl Configuration + 'static) -> Self {
        self.0.settings.configuration = Some(Configured::new(Source::new(configuration)));
        self
    }

    /// Sets where the keys come from by which [`Sealed`](crate::Sealed) values are sealed. Default:
    /// the source of [`Self::configure`], or else the environment variable `MIDGE_SEALING_KEYS`, as
    /// [`SealingKeys::from_env`] reads it.
    ///
    /// The function runs when something is to be sealed or opened, and not before.
    #[must_use]
    pub fn sealing_keys(mut self, keys: fn() -> Result<SealingKeys, InvalidKeys>) -> Self {
        self.0.settings.sealing_keys = Some(keys);
        self
    }

    /// Says who a caller is; what is sealed for one caller opens for no other. Default, and for
    /// requests of which `principal` says `None`: anonymous, and what is sealed for one anonymous
    /// caller opens for all of them.
    ///
    /// The name must come from what was verified, such as a header that the gateway in front sets,
    /// having checked a token, and that it strips from what clients send. A header that a client
    /// can set itself protects nobody.
    ///
    /// ```
    /// # use midge::Server;
    /// let server = Server::new("shop", "1.0.0")
    ///     .principal(|headers| headers.get("x-verified-subject").map(str::to_owned));
    /// # drop(server);
    /// ```
    #[must_use]
    pub fn principal(mut self, principal: fn(&Headers<'_>) -> Option<String>) -> Self {
        self.0.settings.principal = Some(principal);
        self
    }

    pub(crate) fn identity(&self) -> &Implementation {
        &self.0.identity
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.0.settings
    }

    pub(crate) fn sealing(&self) -> Policy {
        let Settings { sealing_keys: keys, principal, ref configuration, .. } = self.0.settings;
        let configuration = configuration.as_ref().map(|configured| configured.source.clone());
        Policy { server: self.0.identity.name.clone(), keys, configuration, principal }
    }

    pub(crate) fn instructions_text(&self) -> Option<&str> {
        self.0.instructions.as_deref()
    }

    pub(crate) fn lists(&self) -> &Lists {
        &self.0.lists
    }

    pub(crate) fn completion(&self) -> Option<Complete> {
        self.0.completion
    }

    pub(crate) fn prompts(&self) -> Option<&dyn Prompts> {
        self.0.prompts.as_deref()
    }

    pub(crate) fn resources(&self) -> Option<&dyn Resources> {
        self.0.resources.as_deref()
    }

    pub(crate) fn tools(&self) -> &[Tool] {
        &self.0.tools
    }

    pub(crate) fn find_tool(&self, name: &str) -> Option<&Tool> {
        self.0.tools.iter().find(|tool| tool.name() == name)
    }

    /// What is here, and nothing that is not. Log messages may come from any handler.
    pub(crate) fn capabilities(&self, version: Version) -> ServerCapabilities<'_> {
        let mut capabilities = ServerCapabilities {
            tools: (!self.0.tools.is_empty()).then(Default::default),
            prompts: self.0.prompts.is_some().then(Default::default),
            resources: self.0.resources.is_some().then(Default::default),
            completions: self.0.completion.map(|_| Default::default()),
            logging: Some(Default::default()),
            extensions: Some(&self.0.extensions)
                .filter(|all| version.has_extensions() && !all.is_empty()),
        };
        if let Some(subscriptions) = self.listening(version) {
            subscriptions.declare(&mut capabilities);
        }
        capabilities
    }

    /// Only modern clients can listen.
    pub(crate) fn listening(&self, version: Version) -> Option<&dyn Listen> {
        self.0.subscriptions.as_deref().filter(|_| version.is_modern())
    }

    pub(crate) fn has_resource(&self, uri: &str) -> bool {
        self.0.resources.as_ref().is_some_and(|resources| resources.has(uri))
    }

    pub(crate) fn extensions(&self) -> &BTreeMap<String, Value> {
        &self.0.extensions
    }
}

/// Completes an argument of a prompt, or a variable of a resource's template.
fn complete(
    server: &Server,
    params: Option<&RawValue>,
    request: RequestInfo,
) -> Result<HandlerCall, Failure> {
    let subject = Subject::read(params)?;
    match (subject.of.clone(), &server.0.prompts, &server.0.resources) {
        (Of::Prompt(name), Some(prompts), _) => prompts.complete(&name, subject, request),
        (Of::Resource(uri), _, Some(resources)) => resources.complete(&uri, subject, request),
        _ => Err(params::invalid("`ref` names nothing that this server has").into()),
    }
}
