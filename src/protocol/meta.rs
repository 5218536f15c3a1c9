//! The `_meta` member of requests and results.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::jsonrpc::RequestId;
use super::members::{self, NotReadable};

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
    /// Reads a `_meta`. One that is no object is nothing; one that cannot be read is an error,
    /// since it may be a modern client's.
    pub(crate) fn read(meta: &'a RawValue) -> Result<Self, NotReadable> {
        let names = [PROTOCOL_VERSION, CLIENT_CAPABILITIES, CLIENT_INFO, LOG_LEVEL, PROGRESS_TOKEN];
        let [protocol_version, client_capabilities, client_info, log_level, progress_token] =
            match members::read(meta, names) {
                Err(NotReadable::NotAnObject) => Ok([None; 5]),
                other => other,
            }?;
        Ok(Self { protocol_version, client_capabilities, client_info, log_level, progress_token })
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
    pub(crate) fn read(meta: &RawValue) -> Self {
        let names = ["traceparent", "tracestate", "baggage"];
        let members = members::read(meta, names).unwrap_or_default();
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

/// Whether a key may stand in `_meta`: an optional prefix of labels with a slash, and a name.
pub(crate) fn is_key(key: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let (prefix, name) =
        key.rsplit_once('/').map_or((None, key), |(prefix, name)| (Some(prefix), name));
    let ends = |text: &str, first: fn(&u8) -> bool| {
        text.as_bytes().first().is_some_and(first)
            && text.as_bytes().last().is_some_and(u8::is_ascii_alphanumeric)
    };
    let label = |label: &str| {
        ends(label, u8::is_ascii_alphabetic)
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    ends(name, u8::is_ascii_alphanumeric)
        && name.bytes().all(inner)
        && prefix.is_none_or(|prefix| prefix.split('.').all(label))
}

/// What is wrong with the keys of a `_meta` that a server's author has set.
pub(crate) fn problems(meta: Option<&Map<String, Value>>) -> impl Iterator<Item = String> {
    let keys = meta.into_iter().flat_map(Map::keys);
    keys.filter(|key| !is_key(key) || is_reserved(key))
        .map(|key| format!("`{key}` is not a key that a server may use in `_meta`"))
}

/// Whether a key is one that the protocol keeps for itself.
pub(crate) fn is_reserved(key: &str) -> bool {
    let prefix = key.split_once('/').map(|(prefix, _)| prefix);
    let second = prefix.and_then(|prefix| prefix.split('.').nth(1));
    matches!(second, Some("modelcontextprotocol" | "mcp"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn j6_keys_have_a_form() {
        for key in ["a", "a.b_c-d", "com.example/a", "io.modelcontextprotocol/x", "x-1.y/0"] {
            assert!(is_key(key), "{key}");
        }
        for key in ["", "/", "a/", "/a", "-a", "a-", "1.a/x", "a..b/x", "a b", "\u{e9}", "a/b/c"] {
            assert!(!is_key(key), "{key}");
        }
        assert!(is_reserved("io.modelcontextprotocol/serverInfo") && is_reserved("com.mcp/x"));
        assert!(!is_reserved("mcp/x") && !is_reserved("com.example.mcp/x"));
    }

    #[test]
    fn j8_a_malformed_traceparent_is_left_out() {
        let read =
            |meta: &str| TraceContext::read(&RawValue::from_string(meta.to_owned()).unwrap());
        let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        let trace =
            read(&format!(r#"{{"traceparent":"{parent}","baggage":"a=1","tracestate":5}}"#));
        assert_eq!(trace.traceparent.as_deref(), Some(parent));
        assert_eq!((trace.baggage.as_deref(), trace.tracestate), (Some("a=1"), None));
        assert_eq!(read(r#"{"traceparent":"00-x-y-01"}"#).traceparent, None);
    }
}
