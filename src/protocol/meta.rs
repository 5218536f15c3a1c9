//! The `_meta` member of requests and results.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::value::RawValue;

use super::jsonrpc::RequestId;
use super::members;

/// Key of the protocol version in a request's `_meta`.
pub const PROTOCOL_VERSION: &str = "io.modelcontextprotocol/protocolVersion";
/// Key of the client's capabilities in a request's `_meta`.
pub const CLIENT_CAPABILITIES: &str = "io.modelcontextprotocol/clientCapabilities";
/// Key of the client's identity in a request's `_meta`.
pub const CLIENT_INFO: &str = "io.modelcontextprotocol/clientInfo";
/// Key of the least level of log messages that a request asks for.
pub const LOG_LEVEL: &str = "io.modelcontextprotocol/logLevel";
/// Key of the token for progress notifications in a request's `_meta`.
pub const PROGRESS_TOKEN: &str = "progressToken";
/// Key of the server's identity in a result's `_meta`.
pub const SERVER_INFO: &str = "io.modelcontextprotocol/serverInfo";

/// What a client asks to see on its progress notifications: a string or an integer, like an id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub(crate) struct ProgressToken(pub(crate) RequestId);

/// The members of a request's `_meta` that the protocol gives a meaning, still unread, so that
/// a wrong type in one of them can be told from a missing one.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct RequestMeta<'a> {
    pub(crate) protocol_version: Option<&'a RawValue>,
    pub(crate) client_capabilities: Option<&'a RawValue>,
    pub(crate) client_info: Option<&'a RawValue>,
    pub(crate) log_level: Option<&'a RawValue>,
    pub(crate) progress_token: Option<&'a RawValue>,
}

impl<'a> RequestMeta<'a> {
    /// The `_meta` of a request; `None` where there is none that can be read.
    pub(crate) fn of_params(params: &'a RawValue) -> Option<Self> {
        let [meta] = members::read(params, ["_meta"]).ok()?;
        let names = [PROTOCOL_VERSION, CLIENT_CAPABILITIES, CLIENT_INFO, LOG_LEVEL, PROGRESS_TOKEN];
        let [protocol_version, client_capabilities, client_info, log_level, progress_token] =
            members::read(meta?, names).ok()?;
        Some(Self { protocol_version, client_capabilities, client_info, log_level, progress_token })
    }
}

/// The context of a distributed trace, as OpenTelemetry hands it on.
///
/// The three values travel in `_meta`, not in HTTP headers. A malformed `traceparent` is left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TraceContext {
    /// W3C `traceparent`: `00-<trace id>-<parent id>-<flags>`.
    pub traceparent: Option<String>,
    /// W3C `tracestate`.
    pub tracestate: Option<String>,
    /// W3C `baggage`. May hold secrets of others: do not log it.
    pub baggage: Option<String>,
}

impl TraceContext {
    pub(crate) fn of_params(params: &RawValue) -> Self {
        let names = ["traceparent", "tracestate", "baggage"];
        let meta = members::read(params, ["_meta"]).ok().and_then(|[meta]| meta);
        let members = meta.and_then(|meta| members::read(meta, names).ok()).unwrap_or_default();
        let [traceparent, tracestate, baggage] =
            members.map(|value| value.and_then(members::string).map(Cow::into_owned));
        Self { traceparent: traceparent.filter(|value| is_traceparent(value)), tracestate, baggage }
    }
}

fn is_traceparent(value: &str) -> bool {
    let hex = |part: &str, length: usize| {
        part.len() == length && part.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    };
    let mut parts = value.split('-');
    let mut next = |length| parts.next().is_some_and(|part| hex(part, length));
    next(2) && next(32) && next(16) && next(2)
}
