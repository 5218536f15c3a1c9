//! The errors of a server: [`ToolError`] is told to the model; [`RequestError`], of prompts,
//! resources and completions, and [`ProtocolError`] are told to the client.

use std::borrow::Cow;
use std::fmt;

use serde_json::value::RawValue;

use crate::protocol::Version;
use crate::protocol::code;
use crate::protocol::members::quoted;

/// Longest excerpt of client input in an error text, in bytes.
const EXCERPT: usize = 100;

/// The end of a text that was cut.
const MORE: &str = "\u{2026}";

/// Client input as an error text may quote it: from the beginning, and not more than an excerpt.
pub(crate) fn excerpt(text: &str) -> Cow<'_, str> {
    shortened(text, EXCERPT)
}

/// Shortens a text to `most` bytes, with a mark at the end if it was longer.
pub(crate) fn shortened(text: &str, most: usize) -> Cow<'_, str> {
    if text.len() <= most {
        return text.into();
    }
    let end = text.floor_char_boundary(most - MORE.len());
    [&text[..end], MORE].concat().into()
}

/// Why a tool could not do what it was asked.
///
/// The model reads it, as a result with `isError: true`, and can repair its call: say what was
/// wrong and what would be right. Leave out secrets and internals; what the model must not see
/// goes into [`ToolError::Internal`], whose text stays in the server's log.
///
/// ```
/// use midge::ToolError;
///
/// async fn divide(arguments: (f64, f64)) -> Result<String, ToolError> {
///     let (dividend, divisor) = arguments;
///     if divisor == 0.0 {
///         return Err(ToolError::new("`divisor` must not be 0"));
///     }
///     Ok((dividend / divisor).to_string())
/// }
/// # drop(divide);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ToolError {
    /// The arguments do not fit the tool's input schema.
    #[error("Invalid arguments: {}{reason}", At(path))]
    InvalidArguments {
        /// Where in the arguments, as `items[2].price`; empty for the arguments as a whole.
        path: String,
        /// What is wrong there.
        reason: String,
    },
    /// The tool tried and failed.
    #[error("{0}")]
    Failed(String),
    /// The server is at fault. The client gets the JSON-RPC error -32603 without this text,
    /// which is logged.
    #[error("internal error: {0}")]
    Internal(String),
}

/// What a legacy client is told by a handler that needs more than a stateless server can ask for.
pub(crate) const NEEDS_MODERN_CLIENT: &str = "This needs client input, which this server offers \
                                              only with protocol 2026-07-28";

struct At<'a>(&'a str);

impl fmt::Display for At<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            "" => Ok(()),
            path => write!(formatter, "`{path}`: "),
        }
    }
}

impl ToolError {
    /// The tool tried and failed; `message` tells the model why.
    #[must_use]
    pub fn new(message: impl Into<String>) -> Self {
        Self::Failed(message.into())
    }

    /// The server is at fault; `cause` is logged, and nobody outside sees it.
    #[must_use]
    pub fn internal(cause: impl fmt::Display) -> Self {
        Self::Internal(cause.to_string())
    }
}

impl From<String> for ToolError {
    fn from(message: String) -> Self {
        Self::Failed(message)
    }
}

impl From<&str> for ToolError {
    fn from(message: &str) -> Self {
        Self::new(message)
    }
}

/// Why a prompt, a resource or a completion could not be given: told to the client, as a JSON-RPC
/// error.
///
/// ```
/// use midge::RequestError;
///
/// async fn page(number: u32) -> Result<String, RequestError> {
///     let pages = ["first", "second"];
///     let index = number.checked_sub(1).ok_or(RequestError::NotFound)?;
///     pages.get(index as usize).map(ToString::to_string).ok_or(RequestError::NotFound)
/// }
/// # drop(page);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// There is no such resource: -32602 with its URI, or -32002 for legacy clients.
    #[error("not found")]
    NotFound,
    /// The arguments do not fit: -32602 with this text.
    #[error("{0}")]
    InvalidParams(String),
    /// The server is at fault: -32603 without this text, which is logged.
    #[error("internal error: {0}")]
    Internal(String),
}

impl RequestError {
    /// The arguments do not fit; `reason` tells the client why.
    #[must_use]
    pub fn invalid(reason: impl Into<String>) -> Self {
        Self::InvalidParams(reason.into())
    }

    /// The server is at fault; `cause` is logged, and nobody outside sees it.
    #[must_use]
    pub fn internal(cause: impl fmt::Display) -> Self {
        Self::Internal(cause.to_string())
    }
}

/// Why a [key-value store](crate::keyvalue) did not do as it was told. As a [`ToolError`] it is the server's fault: the model is
/// not told of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The host has no bucket of this name.
    #[error("the host has no such key-value store")]
    NoSuchStore,
    /// The host does not let this component into the bucket.
    #[error("the host does not grant this key-value store")]
    AccessDenied,
    /// Whatever else went wrong in the host.
    #[error("the key-value store failed: {0}")]
    Other(String),
}

impl From<StoreError> for ToolError {
    fn from(error: StoreError) -> Self {
        Self::internal(error)
    }
}

impl From<StoreError> for RequestError {
    fn from(error: StoreError) -> Self {
        Self::internal(error)
    }
}

/// Why a message cannot be answered: a JSON-RPC error, with the numbers of MCP 2026-07-28.
#[derive(Debug, Clone)]
pub(crate) enum ProtocolError {
    /// The body is not JSON in UTF-8, or nests too deep.
    Parse(String),
    /// The body is JSON, but not a JSON-RPC message that may be sent here.
    InvalidRequest(Cow<'static, str>),
    /// The method does not exist, was removed, or needs what this server does not advertise.
    MethodNotFound(String),
    /// The metadata that every modern request carries is missing or malformed.
    InvalidMeta(Cow<'static, str>),
    /// The parameters do not fit the method.
    InvalidParams(Cow<'static, str>),
    /// No tool of that name.
    UnknownTool(String),
    /// No resource at that URI.
    ResourceNotFound {
        /// What the client asked for.
        uri: String,
        /// The client's version, which decides the number.
        version: Version,
    },
    /// The request needs an answer of the client's user or model, which a stateless server can
    /// ask for in the modern protocol only.
    NeedsModernClient,
    /// A header does not say what the body says.
    HeaderMismatch(String),
    /// The client did not declare a capability that the request needs.
    MissingClientCapability(
        /// What it must declare, as the JSON of `ClientCapabilities`.
        Box<RawValue>,
    ),
    /// The protocol version is not supported.
    UnsupportedVersion {
        /// What this request could have named.
        supported: &'static [Version],
        /// What the client asked for.
        requested: String,
    },
    /// The server failed; details are in its log only.
    Internal,
    /// The server is at work on as many requests as it takes.
    Busy,
    /// The server gave up on a handler that took too long.
    TimedOut,
}

impl ProtocolError {
    /// The number of the error on the wire.
    pub(crate) fn code(&self) -> i32 {
        match self {
            Self::Parse(_) => code::PARSE_ERROR,
            Self::InvalidRequest(_) => code::INVALID_REQUEST,
            Self::MethodNotFound(_) => code::METHOD_NOT_FOUND,
            Self::InvalidMeta(_) | Self::InvalidParams(_) | Self::UnknownTool(_) => {
                code::INVALID_PARAMS
            }
            Self::ResourceNotFound { version, .. } => version.resource_not_found_code(),
            Self::HeaderMismatch(_) => code::HEADER_MISMATCH,
            Self::MissingClientCapability(_) => code::MISSING_CLIENT_CAPABILITY,
            Self::UnsupportedVersion { .. } => code::UNSUPPORTED_PROTOCOL_VERSION,
            Self::Internal | Self::Busy | Self::TimedOut | Self::NeedsModernClient => {
                code::INTERNAL_ERROR
            }
        }
    }

    /// Returns the two parts of the message: the kind of error, and its details.
    fn message(&self) -> (&'static str, Cow<'_, str>) {
        match self {
            Self::Parse(reason) => ("Parse error: ", reason.into()),
            Self::InvalidRequest(reason) => ("Invalid request: ", (&**reason).into()),
            Self::MethodNotFound(method) => ("Method not found: ", excerpt(method)),
            Self::InvalidMeta(reason) | Self::InvalidParams(reason) => {
                ("Invalid params: ", (&**reason).into())
            }
            Self::UnknownTool(name) => ("Unknown tool: ", excerpt(name)),
            Self::ResourceNotFound { .. } => ("Resource not found", "".into()),
            Self::NeedsModernClient => (NEEDS_MODERN_CLIENT, "".into()),
            Self::HeaderMismatch(reason) => ("Header mismatch: ", reason.into()),
            Self::MissingClientCapability(_) => {
                ("The client must declare a capability that this request needs", "".into())
            }
            Self::UnsupportedVersion { requested, .. } => {
                ("Unsupported protocol version: ", excerpt(requested))
            }
            Self::Internal => ("Internal error", "".into()),
            Self::Busy => ("The server is busy, try again", "".into()),
            Self::TimedOut => ("The server's time limit for one request has passed", "".into()),
        }
    }

    /// What a program can act on, as JSON.
    pub(crate) fn data(&self) -> Option<String> {
        Some(match self {
            Self::MissingClientCapability(capabilities) => {
                ["{\"requiredCapabilities\":", capabilities.get(), "}"].concat()
            }
            Self::ResourceNotFound { uri, .. } => ["{\"uri\":", &quoted(uri), "}"].concat(),
            Self::UnsupportedVersion { supported, requested } => {
                let mut data = "{\"supported\":".to_owned();
                for (index, version) in supported.iter().enumerate() {
                    data.push_str(if index == 0 { "[\"" } else { "\",\"" });
                    data.push_str(version.as_str());
                }
                data + "\"],\"requested\":" + &quoted(&excerpt(requested)) + "}"
            }
            _ => return None,
        })
    }
}

impl fmt::Display for ProtocolError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, details) = self.message();
        formatter.write_str(what)?;
        formatter.write_str(&details)
    }
}

impl std::error::Error for ProtocolError {}
