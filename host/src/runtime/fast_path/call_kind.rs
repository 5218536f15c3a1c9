//! Kinds of calls: what a request asks for, as far as the fast path tells requests apart.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use memchr::memmem;

const METHOD: HeaderName = HeaderName::from_static("mcp-method");
const NAME: HeaderName = HeaderName::from_static("mcp-name");

/// How far a body is searched, in bytes.
const SEARCHED: usize = 1 << 10;

/// A method, and the name of its tool, prompt or resource. Empty where a request has none.
///
/// Requests of one kind are likely to need the same of the host. Nothing else depends on it, so a
/// client that names a wrong kind gets the same response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct CallKind<'a> {
    pub(super) method: &'a [u8],
    pub(super) name: &'a [u8],
}

impl<'a> CallKind<'a> {
    /// Takes the kind from the headers `Mcp-Method` and `Mcp-Name`.
    ///
    /// Clients before 2026-07-28 do not send them. For those, the beginning of the body is searched
    /// for the first members of these names, without parsing it.
    pub(super) fn of(headers: &'a HeaderMap, body: &'a Bytes) -> Self {
        let header = |name| headers.get(name).map(HeaderValue::as_bytes);
        if let Some(method) = header(METHOD) {
            return Self { method, name: header(NAME).unwrap_or_default() };
        }
        let start = &body[..body.len().min(SEARCHED)];
        let member = |name: &str| string_member(start, name.as_bytes()).unwrap_or_default();
        Self { method: member("\"method\""), name: member("\"name\"") }
    }
}

/// Returns the string after the first occurrence of a quoted member name, escapes included.
fn string_member<'a>(json: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let rest = json[memmem::find(json, name)? + name.len()..].trim_ascii_start();
    let value = rest.strip_prefix(b":")?.trim_ascii_start().strip_prefix(b"\"")?;
    Some(&value[..memchr::memchr(b'"', value)?])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The kind of a request without headers, as text.
    fn of_body(body: &str) -> (String, String) {
        let (headers, body) = (HeaderMap::new(), Bytes::copy_from_slice(body.as_bytes()));
        let kind = CallKind::of(&headers, &body);
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        (text(kind.method), text(kind.name))
    }

    #[test]
    fn headers_name_the_kind() {
        let pairs = [(METHOD, "tools/call"), (NAME, "greet")];
        let pairs = pairs.map(|(name, value)| (name, HeaderValue::from_static(value)));
        let headers = HeaderMap::from_iter(pairs);
        let body = Bytes::from_static(br#"{"method":"other","params":{"name":"other"}}"#);
        let kind = CallKind::of(&headers, &body);
        assert_eq!(kind, CallKind { method: b"tools/call", name: b"greet" });
    }

    #[test]
    fn the_body_names_the_kind_of_a_legacy_call() {
        for (body, method, name) in [
            (r#"{"method":"tools/call","params":{"name":"greet"}}"#, "tools/call", "greet"),
            ("{ \"method\" : \"ping\",\n\"id\": 1 }", "ping", ""),
            (r#"{"params":{"arguments":{},"name":"a"},"method":"tools/call"}"#, "tools/call", "a"),
            (r#"[{"method":"tools/list"},{"method":"ping"}]"#, "tools/list", ""),
        ] {
            assert_eq!(of_body(body), (method.to_owned(), name.to_owned()), "{body}");
        }
    }

    #[test]
    fn a_body_without_a_kind_is_no_failure() {
        for body in ["", "{", "\"method\"", "\"method\":", "\"method\":1", "\"method\":\"cut"] {
            assert_eq!(of_body(body), (String::new(), String::new()), "{body}");
        }
        let late = format!("{}{}", " ".repeat(SEARCHED), r#"{"method":"ping"}"#);
        assert_eq!(of_body(&late).0, "", "not searched to its end");
    }
}
