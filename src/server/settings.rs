//! Settings of a server that transports read: plain data.

use std::borrow::Cow;
use std::time::Duration;

use midge_contract::INTERNAL_ERROR;

use crate::configuration::Source;
use crate::seal::{FindPrincipal, MakeKeys};

/// Limits and HTTP settings of a [`Server`](crate::Server).
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// The path of the one endpoint.
    pub(crate) endpoint: Cow<'static, str>,
    /// Origins that may call from a browser, lower case, as `https://example.com`.
    pub(crate) origins: Vec<String>,
    pub(crate) cors: Cors,
    /// Bytes of a request body.
    pub(crate) max_body: usize,
    /// JSON values of a message.
    pub(crate) max_values: usize,
    /// Bytes of all request headers together.
    pub(crate) max_header_bytes: usize,
    /// How long a JSON answer may take before it becomes a stream.
    pub(crate) stream_after: Duration,
    /// How long a stream may be silent.
    pub(crate) keep_alive: Duration,
    /// How long a handler may take.
    pub(crate) exchange_timeout: Option<Duration>,
    /// How long deferred work may take.
    pub(crate) defer_timeout: Duration,
    /// Where the sealing keys come from, if not from the configuration.
    pub(crate) sealing_keys: Option<MakeKeys>,
    /// What the deployment says; without one, the sealing keys are in the environment.
    pub(crate) configuration: Option<Configured>,
    /// Who a caller is.
    pub(crate) principal: Option<FindPrincipal>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            endpoint: Cow::Borrowed("/mcp"),
            origins: Vec::new(),
            cors: Cors::default(),
            max_body: 4 << 20,
            max_values: 100_000,
            max_header_bytes: 32 << 10,
            stream_after: Duration::from_secs(5),
            keep_alive: Duration::from_secs(15),
            exchange_timeout: None,
            defer_timeout: Duration::from_secs(1),
            sealing_keys: None,
            configuration: None,
            principal: None,
        }
    }
}

/// A configuration, with what reads it: servers without one have none of that code.
#[derive(Debug, Clone)]
pub(crate) struct Configured {
    pub(crate) source: Source,
    /// Whether it allows an origin, or what the log should know.
    pub(crate) allows: fn(&Source, &str) -> Result<bool, String>,
}

impl Configured {
    pub(crate) fn new(source: Source) -> Self {
        Self { source, allows: is_allowed }
    }
}

/// Whether an origin is one of `allowed_origins`, with blanks or commas between them. If it is not, an
/// entry that no browser can send is an error: it was probably meant to be this one.
fn is_allowed(source: &Source, origin: &str) -> Result<bool, String> {
    let origins =
        source.get("allowed_origins").map_err(|error| format!("{INTERNAL_ERROR}{error}"))?;
    let origins = origins.unwrap_or_default();
    let origins = origins.split([',', ' ', '\t', '\r', '\n']).filter(|allowed| !allowed.is_empty());
    if origins.clone().any(|allowed| allowed.eq_ignore_ascii_case(origin)) {
        return Ok(true);
    }
    match origins.into_iter().find(|allowed| !is_origin(allowed)) {
        Some(invalid) => Err(format!(
            "{INTERNAL_ERROR}`allowed_origins` has `{invalid}`, which is not an origin such as \
             `https://app.example.com`"
        )),
        None => Ok(false),
    }
}

/// Whether a text is a scheme, `://` and an authority, without a path or a wildcard.
fn is_origin(text: &str) -> bool {
    text.split_once("://").is_some_and(|(scheme, authority)| {
        !scheme.is_empty()
            && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
            && !authority.is_empty()
            && !authority.contains(['/', '?', '#', '@', '*', '\\'])
    })
}

/// How browsers of the allowed origins are answered (Cross-Origin Resource Sharing).
///
/// On by default, and without effect until an origin is allowed by
/// [`Server::allow_origin`](crate::Server::allow_origin) or the server is called on a loopback
/// address, where loopback origins are allowed. There is no wildcard.
///
/// ```
/// use std::time::Duration;
/// use midge::{Cors, Server};
///
/// let server = Server::new("hello", "1.0.0")
///     .allow_origin("https://app.example.com")
///     .cors(Cors::new().max_age(Duration::from_secs(60)).allow_header("x-tenant"));
/// # drop(server);
/// ```
#[derive(Debug, Clone)]
pub struct Cors {
    pub(crate) enabled: bool,
    pub(crate) max_age: Duration,
    pub(crate) headers: Vec<Cow<'static, str>>,
}

impl Default for Cors {
    fn default() -> Self {
        Self { enabled: true, max_age: Duration::from_secs(600), headers: Vec::new() }
    }
}

impl Cors {
    /// The headers of MCP allowed, preflights good for ten minutes.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// No CORS headers at all; `OPTIONS` is answered 405.
    #[must_use]
    pub fn off() -> Self {
        Self { enabled: false, ..Self::default() }
    }

    /// How long a browser may remember a preflight.
    #[must_use]
    pub fn max_age(mut self, max_age: Duration) -> Self {
        self.max_age = max_age;
        self
    }

    /// Allows one more request header.
    #[must_use]
    pub fn allow_header(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.headers.push(name.into());
        self
    }
}
