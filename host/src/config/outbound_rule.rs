//! Rules that name the servers a guest may call.

use std::{fmt, str::FromStr};

use http::Uri;
use serde::{Deserialize, Serialize};

/// A server, or a family of servers, that a guest may call by HTTP.
///
/// ```
/// use midge_host::OutboundRule;
///
/// let rule: OutboundRule = "*.example.com:443".parse()?;
/// assert_eq!(rule.to_string(), "*.example.com:443");
/// # Ok::<(), midge_host::OutboundRuleError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct OutboundRule {
    host: HostPattern,
    port: Option<u16>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum HostPattern {
    Any,
    /// With its leading dot: `.example.com`.
    Subdomains(String),
    Exact(String),
}

/// Error of parsing an [`OutboundRule`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not HOST, HOST:PORT, *.DOMAIN or * (no scheme, no path)")]
pub struct OutboundRuleError(String);

impl FromStr for OutboundRule {
    type Err = OutboundRuleError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || OutboundRuleError(text.to_owned());
        let (host, port) = split_port(text).ok_or_else(error)?;
        let valid = |name: &str| {
            !name.is_empty()
                && !name.contains(['*', '/', '@', '?', '#'])
                && !name.contains(char::is_whitespace)
        };
        let host = match host.strip_prefix('*') {
            Some("") => HostPattern::Any,
            Some(domain) if domain.starts_with('.') && valid(&domain[1..]) => {
                HostPattern::Subdomains(domain.to_ascii_lowercase())
            }
            None if valid(host) => HostPattern::Exact(host.to_ascii_lowercase()),
            _ => return Err(error()),
        };
        Ok(Self { host, port })
    }
}

/// Splits `host:port`, where an IPv6 host is in brackets.
fn split_port(text: &str) -> Option<(&str, Option<u16>)> {
    let end_of_host = text.rfind(']').map_or(0, |bracket| bracket + 1);
    match text[end_of_host..].rfind(':') {
        Some(colon) => {
            let (host, port) = text.split_at(end_of_host + colon);
            let port = port.get(1..)?.parse().ok()?;
            Some((host, Some(port)))
        }
        None => Some((text, None)),
    }
}

impl OutboundRule {
    /// Whether the rule permits a request to `uri`.
    pub(crate) fn allows(&self, uri: &Uri) -> bool {
        let Some(host) = uri.host().map(str::to_ascii_lowercase) else {
            return false;
        };
        let default_port = if uri.scheme_str() == Some("http") { 80 } else { 443 };
        let port = uri.port_u16().unwrap_or(default_port);
        let host_allowed = match &self.host {
            HostPattern::Any => true,
            HostPattern::Subdomains(domain) => host.ends_with(domain.as_str()),
            HostPattern::Exact(name) => *name == host,
        };
        host_allowed && self.port.is_none_or(|allowed| allowed == port)
    }
}

impl fmt::Display for OutboundRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            HostPattern::Any => f.write_str("*")?,
            HostPattern::Subdomains(domain) => write!(f, "*{domain}")?,
            HostPattern::Exact(name) => f.write_str(name)?,
        }
        match self.port {
            Some(port) => write!(f, ":{port}"),
            None => Ok(()),
        }
    }
}

impl TryFrom<String> for OutboundRule {
    type Error = OutboundRuleError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<OutboundRule> for String {
    fn from(rule: OutboundRule) -> Self {
        rule.to_string()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    fn allows(rule: &str, uri: &str) -> bool {
        let rule: OutboundRule = rule.parse().unwrap();
        rule.allows(&uri.parse().unwrap())
    }

    #[test]
    fn a_host_matches_with_any_port() {
        assert!(allows("api.example.com", "https://api.example.com/v1"));
        assert!(allows("api.example.com", "http://API.example.com:8080/"));
        assert!(!allows("api.example.com", "https://example.com/"));
        assert!(!allows("api.example.com", "https://api.example.com.evil.net/"));
    }

    #[test]
    fn a_port_is_compared_with_that_of_the_scheme() {
        assert!(allows("example.com:443", "https://example.com/"));
        assert!(!allows("example.com:443", "http://example.com/"));
        assert!(allows("[::1]:9000", "http://[::1]:9000/"));
    }

    #[test]
    fn a_star_matches_subdomains_or_every_host() {
        assert!(allows("*.example.com", "https://a.b.example.com/"));
        assert!(!allows("*.example.com", "https://example.com/"));
        assert!(!allows("*.example.com", "https://badexample.com/"));
        assert!(allows("*", "http://anything:1/"));
        assert!(!allows("*:80", "http://anything:1/"));
    }

    #[test]
    fn texts_that_are_no_host_are_refused() {
        for text in
            ["", "https://example.com", "a b", "example.com:port", "*example.com", "a/b", "*."]
        {
            assert!(text.parse::<OutboundRule>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn user_information_is_not_the_host() {
        assert!(!allows("good.com", "https://good.com@evil.com/"));
    }
}
