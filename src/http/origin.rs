//! Who may call from a browser: the `Origin` check against DNS rebinding, and CORS.

use http::header::{self, HeaderValue};
use http::{HeaderMap, Method, StatusCode};

use super::head::RequestHead;
use super::reply::Reply;
use super::status::Refusal;
use crate::outcome::Outcome;
use crate::settings::{Cors, Settings};

/// The request headers that MCP itself needs.
const MCP_HEADERS: &str = "content-type, accept, authorization, mcp-protocol-version, mcp-method, \
                           mcp-name, mcp-session-id, last-event-id";

/// The `Origin` of the request: `None` where there is none.
///
/// Allowed are the configured origins and, where the server is called on a loopback address,
/// loopback origins. That `Origin` and `Host` agree proves nothing: in an attack by DNS rebinding
/// both are the attacker's name.
pub(crate) fn check(
    request: &RequestHead,
    settings: &Settings,
) -> Result<Option<HeaderValue>, Refusal> {
    let mut origins = request.headers.get_all(header::ORIGIN).iter();
    let Some(origin) = origins.next() else {
        return Ok(None);
    };
    let text = origin.to_str().map_err(|_| Refusal::ForbiddenOrigin)?;
    let configured = || settings.origins.iter().any(|allowed| allowed.eq_ignore_ascii_case(text));
    let local =
        || request.authority.as_deref().is_some_and(is_loopback) && is_loopback_origin(text);
    if origins.next().is_none() && (configured() || local()) {
        Ok(Some(origin.clone()))
    } else {
        Err(Refusal::ForbiddenOrigin)
    }
}

fn is_loopback_origin(origin: &str) -> bool {
    let authority = origin.split_once("://").filter(|(scheme, _)| {
        scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https")
    });
    authority.is_some_and(|(_, authority)| is_loopback(authority))
}

/// Whether an authority, with or without a port, names this machine.
fn is_loopback(authority: &str) -> bool {
    ["localhost", "127.0.0.1", "[::1]"].iter().any(|local| {
        let (Some(host), Some(port)) = (authority.get(..local.len()), authority.get(local.len()..))
        else {
            return false;
        };
        let port = port.is_empty()
            || port.strip_prefix(':').is_some_and(|digits| {
                !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit())
            });
        port && host.eq_ignore_ascii_case(local)
    })
}

/// Whether this is a browser asking what it may send.
pub(crate) fn is_preflight(request: &RequestHead, cors: &Cors) -> bool {
    cors.enabled
        && request.method == Method::OPTIONS
        && request.headers.contains_key(header::ORIGIN)
        && request.headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

/// The answer to a preflight of an allowed origin.
///
/// Tools may have headers of their own, `Mcp-Param-*`: those that the browser asks for are
/// allowed by name, since no wildcard goes together with credentials.
pub(crate) fn preflight(request: &RequestHead, cors: &Cors) -> Reply {
    let mut allowed = MCP_HEADERS.to_owned();
    let asked = request.headers.get(header::ACCESS_CONTROL_REQUEST_HEADERS);
    let asked = asked.and_then(|names| names.to_str().ok()).unwrap_or_default();
    let params = asked.split(',').map(str::trim).filter(|name| {
        name.get(..10).is_some_and(|prefix| prefix.eq_ignore_ascii_case("mcp-param-"))
    });
    for name in params.chain(cors.headers.iter().map(AsRef::as_ref)) {
        allowed.push_str(", ");
        allowed.push_str(name);
    }
    let mut reply = Reply::empty(StatusCode::NO_CONTENT, Outcome::Ok)
        .with(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("POST"))
        .with(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from(cors.max_age.as_secs()));
    if let Ok(allowed) = HeaderValue::try_from(allowed) {
        reply = reply.with(header::ACCESS_CONTROL_ALLOW_HEADERS, allowed);
    }
    reply
}

/// What lets a page of an allowed origin read the answer.
pub(crate) fn allow(headers: &mut HeaderMap, origin: HeaderValue) {
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(
        header::ACCESS_CONTROL_EXPOSE_HEADERS,
        HeaderValue::from_static("www-authenticate"),
    );
    headers.insert(header::VARY, HeaderValue::from_static("origin"));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(authority: &str, origin: &'static str, settings: &Settings) -> bool {
        let headers = HeaderMap::from_iter([(header::ORIGIN, HeaderValue::from_static(origin))]);
        let request = RequestHead {
            method: Method::POST,
            path: "/mcp".to_owned(),
            authority: Some(authority.to_owned()),
            headers,
        };
        check(&request, settings).is_ok()
    }

    #[test]
    fn h7_loopback_origins_are_allowed_on_loopback_only() {
        let settings = Settings::default();
        for origin in
            ["http://localhost:3000", "https://127.0.0.1", "http://[::1]:8080", "HTTP://LocalHost"]
        {
            assert!(checked("127.0.0.1:8080", origin, &settings), "{origin}");
            assert!(!checked("mcp.example.com", origin, &settings), "{origin}");
        }
        for origin in [
            "null",
            "http://localhost.evil.com",
            "http://evil.com",
            "http://localhost@evil.com",
            "http://evil.com@localhost",
            "file://localhost",
            "localhost",
            "",
        ] {
            assert!(!checked("localhost:8080", origin, &settings), "{origin}");
        }
    }

    #[test]
    fn h8_the_same_name_in_host_and_origin_proves_nothing() {
        assert!(!checked("evil.example.com", "http://evil.example.com", &Settings::default()));
    }

    #[test]
    fn h6_configured_origins_are_allowed_whatever_their_case() {
        let settings =
            Settings { origins: vec!["https://app.example.com".to_owned()], ..Settings::default() };
        assert!(checked("mcp.example.com", "https://App.Example.com", &settings));
        assert!(!checked("mcp.example.com", "https://app.example.com:8443", &settings));
    }
}
