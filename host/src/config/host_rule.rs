//! Rules that name hosts: those that a server is called by, and those that a guest may call.

use std::{fmt, net::Ipv6Addr, str::FromStr};

use serde::{Deserialize, Serialize};

/// A host, or a family of hosts, with or without a port.
///
/// ```
/// use midge_host::HostRule;
///
/// let rule: HostRule = "*.example.com:443".parse()?;
/// assert_eq!(rule.to_string(), "*.example.com:443");
/// # Ok::<(), midge_host::HostRuleError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct HostRule {
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

/// Error of parsing a [`HostRule`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not HOST, HOST:PORT, *.DOMAIN or * (no scheme, no path)")]
pub struct HostRuleError(String);

impl FromStr for HostRule {
    type Err = HostRuleError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text).ok_or_else(|| HostRuleError(text.to_owned()))
    }
}

/// Splits `host:port`, where an IPv6 host is in brackets.
fn split_port(text: &str) -> Option<(&str, Option<u16>)> {
    let end_of_host = text.rfind(']').map_or(0, |bracket| bracket + 1);
    let Some(colon) = text[end_of_host..].find(':') else { return Some((text, None)) };
    let (host, port) = text.split_at(end_of_host + colon);
    Some((host, Some(parse_port(&port[1..])?)))
}

/// Parses a port, without a sign.
pub(crate) fn parse_port(text: &str) -> Option<u16> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

/// Whether a text can be the name of a host, or an IPv4 address.
pub(crate) fn is_name(text: &str) -> bool {
    let is_of_name = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
    !text.is_empty() && !text.starts_with('.') && text.bytes().all(is_of_name)
}

impl HostRule {
    fn parse(text: &str) -> Option<Self> {
        let (host, port) = split_port(text)?;
        let pattern = if host == "*" {
            HostPattern::Any
        } else if let Some(domain) = host.strip_prefix("*.").map(canonical) {
            is_name(domain).then(|| HostPattern::Subdomains(format!(".{domain}")))?
        } else if let Some(address) = host.strip_prefix('[') {
            let address: Ipv6Addr = address.strip_suffix(']')?.parse().ok()?;
            HostPattern::Exact(format!("[{address}]"))
        } else {
            let name = canonical(host);
            is_name(name).then(|| HostPattern::Exact(name.to_owned()))?
        };
        Some(Self { host: pattern.lower_case(), port })
    }

    /// Whether the rule is for this host and one of `ports`. An IPv6 address is in brackets.
    pub(crate) fn matches(&self, host: &str, ports: &[u16]) -> bool {
        let host = canonical(host);
        let is_host = match &self.host {
            HostPattern::Any => true,
            HostPattern::Subdomains(domain) => {
                let suffix = host.len().checked_sub(domain.len()).and_then(|at| host.get(at..));
                suffix.is_some_and(|suffix| suffix.eq_ignore_ascii_case(domain))
            }
            HostPattern::Exact(name) => name.eq_ignore_ascii_case(host),
        };
        is_host && self.port.is_none_or(|port| ports.contains(&port))
    }
}

impl HostPattern {
    fn lower_case(self) -> Self {
        match self {
            Self::Any => self,
            Self::Subdomains(domain) => Self::Subdomains(domain.to_ascii_lowercase()),
            Self::Exact(name) => Self::Exact(name.to_ascii_lowercase()),
        }
    }
}

/// Returns a name without the dot of the root.
pub(crate) fn canonical(host: &str) -> &str {
    host.strip_suffix('.').unwrap_or(host)
}

impl fmt::Display for HostRule {
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

impl TryFrom<String> for HostRule {
    type Error = HostRuleError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<HostRule> for String {
    fn from(rule: HostRule) -> Self {
        rule.to_string()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    fn matches(rule: &str, host: &str, port: u16) -> bool {
        rule.parse::<HostRule>().unwrap().matches(host, &[port])
    }

    #[test]
    fn a_host_matches_in_any_case_and_with_any_port() {
        assert!(matches("api.example.com", "api.example.com", 443));
        assert!(matches("API.example.com", "api.EXAMPLE.com.", 8080));
        assert!(matches("api.example.com.", "api.example.com", 1));
        assert!(!matches("api.example.com", "example.com", 443));
        assert!(!matches("api.example.com", "api.example.com.evil.net", 443));
    }

    #[test]
    fn a_port_of_a_rule_is_compared() {
        assert!(matches("example.com:443", "example.com", 443));
        assert!(!matches("example.com:443", "example.com", 80));
        assert!(matches("[0::1]:9000", "[::1]", 9000));
    }

    #[test]
    fn a_star_matches_subdomains_or_every_host() {
        assert!(matches("*.example.com", "a.b.example.com", 443));
        assert!(!matches("*.example.com", "example.com", 443));
        assert!(!matches("*.example.com", "badexample.com", 443));
        assert!(!matches("*.example.com", "é.com", 443));
        assert!(matches("*", "anything", 1));
        assert!(!matches("*:80", "anything", 1));
    }

    #[test]
    fn texts_that_are_no_host_are_refused() {
        for text in [
            "",
            "https://example.com",
            "https://h",
            "a b",
            "a,b",
            "example.com:port",
            "example.com:+80",
            "example.com:",
            "example.com:65536",
            "*example.com",
            "a.*.com",
            "a/b",
            "u@a",
            "*.",
            ".",
            "..",
            "::1",
            "[::1",
            "[x]",
            "é.com",
        ] {
            assert!(text.parse::<HostRule>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn rules_are_displayed_as_they_are_parsed() {
        for text in ["example.com", "example.com:443", "*.example.com:80", "*", "[::1]:9000"] {
            assert_eq!(text.parse::<HostRule>().unwrap().to_string(), text);
        }
    }
}
