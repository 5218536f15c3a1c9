//! Who may call from a browser: the `Origin` check against DNS rebinding, and CORS.

use http::StatusCode;

use super::head::{Method, RequestHead};
use super::reply::Reply;
use super::status::Refusal;
use crate::fields::{self, Fields};
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
pub(crate) fn check(request: &RequestHead, settings: &Settings) -> Result<Option<String>, Refusal> {
    let mut origins = request.headers.values("origin");
    let Some(origin) = origins.next() else { return Ok(None) };
    let text = fields::text(origin).ok_or(Refusal::ForbiddenOrigin)?;
    let configured = || settings.origins.iter().any(|allowed| allowed.eq_ignore_ascii_case(text));
    let local =
        || request.authority.as_deref().is_some_and(is_loopback) && is_loopback_origin(text);
    if origins.next().is_none() && (configured() || local()) {
        Ok(Some(text.to_owned()))
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
        && request.method == Method::Options
        && request.headers.contains("origin")
        && request.headers.contains("access-control-request-method")
}

/// The answer to a preflight of an allowed origin.
///
/// Tools may have headers of their own, `Mcp-Param-*`: those that the browser asks for are
/// allowed by name, since no wildcard goes together with credentials.
pub(crate) fn preflight(request: &RequestHead, cors: &Cors) -> Reply {
    let mut allowed = MCP_HEADERS.to_owned();
    let asked = request.headers.texts("access-control-request-headers").next().unwrap_or_default();
    let params = asked.split(',').map(str::trim).filter(|name| {
        name.get(..10).is_some_and(|prefix| prefix.eq_ignore_ascii_case("mcp-param-"))
    });
    for name in params.chain(cors.headers.iter().map(AsRef::as_ref)) {
        allowed.push_str(", ");
        allowed.push_str(name);
    }
    Reply::empty(StatusCode::NO_CONTENT, Outcome::Ok)
        .with("access-control-allow-methods", "POST")
        .with("access-control-max-age", cors.max_age.as_secs().to_string())
        .with("access-control-allow-headers", allowed)
}

/// What lets a page of an allowed origin read the answer.
pub(crate) fn allow(headers: &mut Fields, origin: String) {
    headers.push("access-control-allow-origin", origin);
    headers.push("access-control-expose-headers", "www-authenticate");
    headers.push("vary", "origin");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(authority: &str, origin: &'static str, settings: &Settings) -> bool {
        let mut headers = Fields::default();
        headers.push("origin", origin);
        let request = RequestHead {
            method: Method::Post,
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
