//! JSON-RPC 2.0 as MCP uses it: ids and the envelope of a message.

use std::borrow::Cow;

use memchr::memchr;
use serde::Serialize;
use serde_json::value::RawValue;

use super::Version;
use super::members::{self, NotReadable};

/// How deep arrays and objects of a message may nest.
pub const MAX_DEPTH: usize = 128;

/// The id of a request: a string or an integer, echoed as it came.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(untagged)]
pub enum RequestId {
    /// An integer.
    Number(i64),
    /// A string.
    String(String),
}

impl RequestId {
    /// Reads an id; `None` for `null`, fractions and everything else that is no id.
    // One copy of the code, whatever the optimizer thinks: a component is loaded for every exchange.
    #[inline(never)]
    pub(crate) fn from_json(raw: &RawValue) -> Option<Self> {
        let json = raw.get();
        if json.starts_with('"') {
            serde_json::from_str(json).ok().map(RequestId::String)
        } else {
            json.parse().ok().map(RequestId::Number)
        }
    }
}

impl std::fmt::Display for RequestId {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            RequestId::Number(number) => number.fmt(formatter),
            RequestId::String(text) => text.fmt(formatter),
        }
    }
}

/// One message from a client, its parameters still unread.
#[derive(Debug)]
pub(crate) enum Message<'a> {
    Request(Request<'a>),
    Notification {
        method: Cow<'a, str>,
        params: Option<&'a RawValue>,
    },
    /// An answer to a question that no stateless server asks.
    Response,
}

#[derive(Debug)]
pub(crate) struct Request<'a> {
    pub(crate) id: RequestId,
    pub(crate) method: Cow<'a, str>,
    pub(crate) params: Option<&'a RawValue>,
}

/// Why a value is no message; with the id where there was a valid one.
#[derive(Debug)]
pub(crate) struct InvalidMessage {
    pub(crate) id: Option<RequestId>,
    pub(crate) reason: &'static str,
}

impl<'a> Message<'a> {
    /// Reads the envelope of one message. What is no JSON is invalid, too.
    pub(crate) fn from_json(json: &'a str) -> Result<Self, InvalidMessage> {
        let invalid = |id, reason| InvalidMessage { id, reason };
        let names = ["jsonrpc", "id", "method", "params", "result", "error"];
        let members = members::find_in(json, names).and_then(members::all).map_err(|error| {
            invalid(
                None,
                match error {
                    NotReadable::NotAnObject => "a message must be a JSON object",
                    NotReadable::Repeated => "a member of the message occurs twice",
                    NotReadable::Unreadable => "the message cannot be read",
                },
            )
        })?;
        let [jsonrpc, id, method, params, result, error] = members;
        let id = match id.map(RequestId::from_json) {
            None => None,
            Some(Some(id)) => Some(id),
            Some(None) => return Err(invalid(None, "`id` must be a string or an integer")),
        };
        if jsonrpc.is_none_or(|version| version.get() != "\"2.0\"") {
            return Err(invalid(id, "`jsonrpc` must be \"2.0\""));
        }
        let Some(method) = method else {
            return match result.or(error) {
                Some(_) => Ok(Message::Response),
                None => Err(invalid(id, "`method` is missing")),
            };
        };
        let Some(method) = members::string(method) else {
            return Err(invalid(id, "`method` must be a string"));
        };
        if params.is_some_and(|params| !params.get().starts_with('{')) {
            return Err(invalid(id, "`params` must be an object"));
        }
        Ok(match id {
            Some(id) => Message::Request(Request { id, method, params }),
            None => Message::Notification { method, params },
        })
    }
}

/// Whether a JSON text nests deeper than [`MAX_DEPTH`].
pub(crate) fn nests_too_deep(text: &str) -> bool {
    // What is opened must be closed again: a shorter text is no JSON, if it nests too deep.
    if text.len() <= 2 * MAX_DEPTH {
        return false;
    }
    let (mut depth, mut rest) = (0_usize, text.as_bytes());
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        match byte {
            b'"' => rest = behind_string(after),
            b'[' | b'{' if depth == MAX_DEPTH => return true,
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    false
}

/// What comes after a string, of which the first quote is read. From quote to quote, since large
/// bodies are large by their strings.
fn behind_string(mut text: &[u8]) -> &[u8] {
    while let Some((string, after)) = memchr(b'"', text).and_then(|end| text.split_at_checked(end))
    {
        text = after.get(1..).unwrap_or_default();
        // A quote behind an odd number of backslashes is a part of the string.
        if string.iter().rev().take_while(|byte| **byte == b'\\').count() % 2 == 0 {
            return text;
        }
    }
    &[]
}

/// A JSON text without line breaks. They can only be white space in JSON: inside of strings they
/// are escaped.
pub(crate) fn on_one_line(json: &str) -> Cow<'_, str> {
    const BREAKS: [char; 2] = ['\r', '\n'];
    if json.contains(BREAKS) { json.replace(BREAKS, " ").into() } else { json.into() }
}

/// The error member of a response.
#[derive(Debug, Serialize)]
pub(crate) struct ErrorObject<'a> {
    /// One of [`code`].
    pub(crate) code: i32,
    /// One line for the person who debugs the client.
    pub(crate) message: String,
    /// What a program can act on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) data: Option<ErrorData<'a>>,
}

/// What a program can act on.
#[derive(Debug, Serialize)]
#[serde(untagged, rename_all_fields = "camelCase")]
pub(crate) enum ErrorData<'a> {
    Resource { uri: &'a str },
    MissingCapability { required_capabilities: &'a RawValue },
    UnsupportedVersion { supported: &'static [Version], requested: &'a str },
}

/// A failed response; without `id` where the request had none that could be read.
#[derive(Debug, Serialize)]
pub(crate) struct ErrorResponse<'a> {
    jsonrpc: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a RequestId>,
    error: ErrorObject<'a>,
}

impl<'a> ErrorResponse<'a> {
    pub(crate) fn new(id: Option<&'a RequestId>, error: ErrorObject<'a>) -> Self {
        Self { jsonrpc: "2.0", id, error }
    }
}

/// A notification from the server.
#[derive(Debug, Serialize)]
pub(crate) struct Notification<P> {
    jsonrpc: &'static str,
    method: &'static str,
    params: P,
}

impl<P> Notification<P> {
    pub(crate) fn new(method: &'static str, params: P) -> Self {
        Self { jsonrpc: "2.0", method, params }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_brackets_outside_of_strings_nest() {
        let open = " ".repeat(2 * MAX_DEPTH) + &"[".repeat(MAX_DEPTH);
        assert!(!nests_too_deep(&open));
        assert!(nests_too_deep(&format!("{open}{{")));
        assert!(nests_too_deep(&format!(r#"["\\",{open}"#)), "an escaped backslash ends nothing");
        for inside in [r#""["#, r#""a[","]""#, r#""\"["#, r#""\\\"[""#, r#""b"],["#] {
            assert!(!nests_too_deep(&format!("{open}{inside}")), "{inside}");
        }
    }
}
