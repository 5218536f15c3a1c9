//! The `_meta` member of requests and results.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::identity::Implementation;
use super::jsonrpc::present;

/// Key of the protocol version in a request's `_meta`.
pub const PROTOCOL_VERSION: &str = "io.modelcontextprotocol/protocolVersion";
/// Key of the client's capabilities in a request's `_meta`.
pub const CLIENT_CAPABILITIES: &str = "io.modelcontextprotocol/clientCapabilities";

/// What a client asks to see on its progress notifications: a string or an integer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ProgressToken {
    /// An integer.
    Number(i64),
    /// A string.
    String(String),
}

/// The members of a request's `_meta` that the protocol gives a meaning, still unread, so that
/// a wrong type in one of them can be told from a missing one.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct RawMeta<'a> {
    #[serde(
        borrow,
        rename = "io.modelcontextprotocol/protocolVersion",
        default,
        deserialize_with = "present"
    )]
    pub(crate) protocol_version: Option<&'a RawValue>,
    #[serde(
        borrow,
        rename = "io.modelcontextprotocol/clientCapabilities",
        default,
        deserialize_with = "present"
    )]
    pub(crate) client_capabilities: Option<&'a RawValue>,
    #[serde(borrow, rename = "io.modelcontextprotocol/clientInfo", default)]
    pub(crate) client_info: Option<&'a RawValue>,
    #[serde(borrow, rename = "io.modelcontextprotocol/logLevel", default)]
    pub(crate) log_level: Option<&'a RawValue>,
    #[serde(borrow, rename = "progressToken", default)]
    pub(crate) progress_token: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(crate) traceparent: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(crate) tracestate: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(crate) baggage: Option<&'a RawValue>,
}

/// The `_meta` of a result: who answers, for modern clients, and what a tool adds.
#[derive(Debug, Serialize)]
pub(crate) struct ResultMeta<'a> {
    #[serde(
        rename = "io.modelcontextprotocol/serverInfo",
        skip_serializing_if = "Option::is_none"
    )]
    pub(crate) server_info: Option<Cow<'a, Implementation>>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub(crate) own: Option<&'a serde_json::Map<String, serde_json::Value>>,
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
    pub(crate) fn from_raw(meta: &RawMeta<'_>) -> Self {
        let text =
            |raw: Option<&RawValue>| -> Option<String> { serde_json::from_str(raw?.get()).ok() };
        Self {
            traceparent: text(meta.traceparent).filter(|value| is_traceparent(value)),
            tracestate: text(meta.tracestate),
            baggage: text(meta.baggage),
        }
    }
}

fn is_traceparent(value: &str) -> bool {
    let hex = |part: &str, length: usize| {
        part.len() == length
            && part
                .bytes()
                .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    };
    let mut parts = value.split('-');
    let mut next = |length| parts.next().is_some_and(|part| hex(part, length));
    next(2) && next(32) && next(16) && next(2)
}
