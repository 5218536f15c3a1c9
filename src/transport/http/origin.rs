//! Access from browsers: the `Origin` check against DNS rebinding, and CORS.

use http::StatusCode;
use midge_contract::Outcome;

use super::head::{Method, RequestHead};
use super::reply::Reply;
use crate::headers::map::{self, Fields};
use crate::server::settings::{Configured, Cors, Settings};

/// The request headers that MCP itself needs.
const MCP_HEADERS: &str = "content-type, accept, authorization, mcp-protocol-version, mcp-method, \
                           mcp-name, mcp-session-id, last-event-id";

/// The `Origin` of the request: `None` where there is none.
///
/// Allowed are the origins of the server and of its configuration and, where the server is called on a loopback address,
/// loopback origins. That `Origin` and `Host` agree proves nothing: in an attack by DNS rebinding
/// both are the attacker's name.
///
/// # Errors
/// When the origin is not allowed; with the cause where the configuration cannot be read.
pub(crate) fn check(
    request: &RequestHead,
    settings: &Settings,
) -> Result<Option<String>, Option<String>> {
    let mut origins = request.headers.values("origin");
    let Some(origin) = origins.next() else { return Ok(None) };
    let (Some(text), None) = (map::text(origin), origins.next()) else { return Err(None) };
    let listed = || settings.origins.iter().any(|allowed| allowed.eq_ignore_ascii_case(text));
    let local =
        || request.authority.as_deref().is_some_and(is_loopback) && is_loopback_origin(text);
    let allowed = listed() || local() || is_configured(settings, text).map_err(Some)?;
    if allowed { Ok(Some(text.to_owned())) } else { Err(None) }
}

fn is_configured(settings: &Settings, origin: &str) -> Result<bool, String> {
    let Some(Configured { source, allows }) = &settings.configuration else { return Ok(false) };
    allows(source, origin)
}

fn is_loopback_origin(origin: &str) -> bool {
    origin.split_once(':').is_some_and(|(scheme, rest)| {
        (scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https"))
            && rest.strip_prefix("//").is_some_and(is_loopback)
    })
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
    use crate::configuration::{Configuration, ConfigurationError, Source};

    fn reply(
        authority: &str,
        origin: &'static str,
        settings: &Settings,
    ) -> Result<Option<String>, Option<String>> {
        let mut headers = Fields::default();
        headers.push("origin", origin);
        let request = RequestHead {
            method: Method::Post,
            path: "/mcp".to_owned(),
            authority: Some(authority.to_owned()),
            headers,
        };
        check(&request, settings)
    }

    fn checked(authority: &str, origin: &'static str, settings: &Settings) -> bool {
        reply(authority, origin, settings).is_ok()
    }

    /// Settings with a configuration that has this for all names, or cannot be read.
    fn configured(origins: Option<&'static str>) -> Settings {
        struct Origins(Option<&'static str>);
        impl Configuration for Origins {
            fn get(&self, name: &str) -> Result<Option<String>, ConfigurationError> {
                let origins = self.0.map(|origins| Some(origins.to_owned()));
                origins.ok_or_else(|| ConfigurationError::new(name, "the vault is shut"))
            }
        }
        let configuration = Some(Configured::new(Source::new(Origins(origins))));
        Settings { configuration, ..Settings::default() }
    }

    #[test]
    fn h6_origins_of_the_configuration_are_allowed_too() {
        let settings = configured(Some("https://a.example.com,\thttps://b.example.com "));
        for origin in ["https://a.example.com", "https://B.example.com"] {
            assert!(checked("mcp.example.com", origin, &settings), "{origin}");
        }
        for origin in ["", "https://a.example.com,", "https://a.example.co"] {
            assert!(!checked("mcp.example.com", origin, &settings), "{origin}");
        }
    }

    #[test]
    fn h6_a_configuration_that_cannot_be_read_allows_nobody_and_is_logged() {
        let settings = configured(None);
        let refused = reply("mcp.example.com", "https://a.example.com", &settings).unwrap_err();
        let cause = "internal error: the configuration cannot be read: `allowed_origins`: \
                     the vault is shut";
        assert_eq!(refused.as_deref(), Some(cause));
        assert!(checked("localhost", "http://localhost", &settings), "without asking it");
    }

    #[test]
    fn h6_an_invalid_entry_of_allowed_origins_is_logged() {
        for invalid in [
            "app.example.com",
            "*",
            "https://*.example.com",
            "https://app.example.com/",
            "https://user@app.example.com",
            "://app.example.com",
            "https://",
        ] {
            let origins: &'static str = format!("{invalid},https://a.example.com").leak();
            let settings = configured(Some(origins));
            let allowed = "https://a.example.com";
            assert!(checked("mcp.example.com", allowed, &settings), "{invalid}: the valid one");
            let refused = reply("mcp.example.com", "https://app.example.com", &settings);
            let cause = refused.unwrap_err().unwrap();
            let expected = format!(
                "internal error: `allowed_origins` has `{invalid}`, which is not an origin such \
                 as `https://app.example.com`"
            );
            assert_eq!(cause, expected);
        }
        let valid = "https://a.example.com, http://localhost:3000 tauri://localhost";
        let refused = reply("mcp.example.com", "https://b.example.com", &configured(Some(valid)));
        assert_eq!(refused.unwrap_err(), None);
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
