//! The host names that a server accepts.

use std::{
    net::{Ipv6Addr, SocketAddr},
    str,
};

use http::{Request, header, uri::Scheme};

use crate::{
    config::{HostRule, canonical, is_name, parse_port},
    telemetry::{excerpt::printable, fault::Fault},
};

const LOOPBACK: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

/// The host names that a server accepts in requests.
///
/// A server on a loopback address is meant for programs on this machine. A web page whose own name
/// resolves to that address reaches it too (DNS rebinding), but cannot forge `Host`.
pub(super) struct AllowedHosts {
    allowed: Vec<HostRule>,
    loopback: bool,
}

/// The ports of a request that names none: a proxy in front may have received it by TLS.
const DEFAULT_PORTS: [u16; 2] = [80, 443];

impl AllowedHosts {
    pub(super) fn new(bound: SocketAddr, allowed: &[HostRule]) -> Self {
        Self { allowed: allowed.to_vec(), loopback: bound.ip().to_canonical().is_loopback() }
    }

    /// Checks that a request is for a host name that is accepted.
    pub(super) fn check<B>(&self, request: &Request<B>) -> Result<(), Fault> {
        let (host, port) = target(request)?;
        let is = |name: &str| name.eq_ignore_ascii_case(canonical(host));
        let is_accepted =
            if self.loopback { LOOPBACK.into_iter().any(is) } else { self.allowed.is_empty() };
        let ports = port.as_ref().map_or(&DEFAULT_PORTS[..], std::slice::from_ref);
        if is_accepted || self.allowed.iter().any(|rule| rule.matches(host, ports)) {
            Ok(())
        } else {
            Err(Fault::HostNotAllowed(printable(host.as_bytes())))
        }
    }
}

/// Returns the host that a request is for, and its port if it names one.
fn target<B>(request: &Request<B>) -> Result<(&str, Option<u16>), Fault> {
    let uri = request.uri();
    if let Some(scheme) = uri.scheme()
        && *scheme != Scheme::HTTP
        && *scheme != Scheme::HTTPS
    {
        return Err(Fault::SchemeNotServed(printable(scheme.as_str().as_bytes())));
    }
    let mut hosts = request.headers().get_all(header::HOST).iter();
    let (host, None) = (hosts.next(), hosts.next()) else { return Err(Fault::NoHost) };
    let authority = match (uri.authority(), host) {
        (Some(authority), _) => authority.as_str().as_bytes(),
        (None, Some(host)) => host.as_bytes(),
        (None, None) => return Err(Fault::NoHost),
    };
    let parsed = str::from_utf8(authority).ok().and_then(parse_authority);
    parsed.ok_or_else(|| Fault::InvalidHost(printable(authority)))
}

/// Parses a host and a port, without user information.
fn parse_authority(authority: &str) -> Option<(&str, Option<u16>)> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (address, port) = rest.split_once(']')?;
            address.parse::<Ipv6Addr>().ok()?;
            (&authority[..address.len() + 2], port)
        }
        None => {
            let (host, port) = authority.split_at(authority.find(':').unwrap_or(authority.len()));
            is_name(host).then_some((host, port))?
        }
    };
    match port.strip_prefix(':') {
        None => port.is_empty().then_some((host, None)),
        // An empty port is that of the scheme.
        Some("") => Some((host, None)),
        Some(port) => Some((host, Some(parse_port(port)?))),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    fn refuse(bound: &str, allowed: &[&str], hosts: &[&str]) -> Option<Fault> {
        let mut request = Request::builder().uri("/mcp");
        for host in hosts {
            request = request.header(header::HOST, *host);
        }
        let allowed: Vec<_> = allowed.iter().map(|rule| rule.parse().unwrap()).collect();
        AllowedHosts::new(bound.parse().unwrap(), &allowed).check(&request.body(()).unwrap()).err()
    }

    fn not_allowed(host: &str) -> Option<Fault> {
        Some(Fault::HostNotAllowed(host.to_owned()))
    }

    #[test]
    fn a_loopback_server_is_for_loopback_names() {
        for host in ["localhost", "LOCALHOST:8080", "127.0.0.1:1", "[::1]:8080", "localhost."] {
            assert_eq!(refuse("127.0.0.1:8080", &[], &[host]), None, "{host}");
        }
        for host in ["evil.example", "localhost.evil.example", "127.0.0.2", "0.0.0.0"] {
            assert_eq!(refuse("[::1]:8080", &[], &[host]), not_allowed(host), "{host}");
        }
    }

    #[test]
    fn more_names_can_be_allowed() {
        assert_eq!(refuse("127.0.0.1:80", &["mcp.example"], &["mcp.example:443"]), None);
        assert_eq!(refuse("127.0.0.1:80", &["mcp.example"], &["localhost"]), None);
        assert_eq!(refuse("127.0.0.1:80", &["*.example"], &["mcp.example"]), None);
        assert_eq!(refuse("127.0.0.1:80", &["*"], &["mcp.example:1"]), None);
    }

    #[test]
    fn a_rule_with_a_port_is_for_that_port() {
        let refuse = |rule, host| refuse("127.0.0.1:80", &[rule], &[host]);
        for host in ["mcp.example:443", "mcp.example", "mcp.example:"] {
            assert_eq!(refuse("mcp.example:443", host), None, "{host}");
        }
        assert_eq!(refuse("mcp.example:443", "mcp.example:444"), not_allowed("mcp.example"));
        assert_eq!(refuse("mcp.example:8443", "mcp.example"), not_allowed("mcp.example"));
    }

    #[test]
    fn a_public_server_has_every_name_until_some_are_given() {
        assert_eq!(refuse("0.0.0.0:80", &[], &["any.example"]), None);
        let refused = refuse("0.0.0.0:80", &["mcp.example"], &["any.example"]);
        assert_eq!(refused, not_allowed("any.example"));
        assert_eq!(refuse("0.0.0.0:80", &["*"], &["any.example"]), None);
    }

    #[test]
    fn what_is_no_host_is_refused() {
        for host in [
            "localhost:x",
            "localhost:+80",
            "localhost:65536",
            "a:1:2",
            "a@localhost",
            "u:p@a",
            "a b",
            "",
            ":1",
            "a/b",
            "a,b",
            "http://a",
            "[::1",
            "[x]",
            "[::1]x",
            "::1",
            "*",
        ] {
            let refused = refuse("0.0.0.0:80", &[], &[host]);
            assert_eq!(refused, Some(Fault::InvalidHost(host.to_owned())), "{host}");
        }
        for host in ["a", "a.example.", "127.0.0.1:80", "A-b_c:65535", "a:", "[::1]:8", "[::]"] {
            assert_eq!(refuse("0.0.0.0:80", &[], &[host]), None, "{host}");
        }
    }

    #[test]
    fn there_is_exactly_one_host() {
        for hosts in [&[][..], &["a", "b"], &["a", "a"]] {
            assert_eq!(refuse("0.0.0.0:80", &[], hosts), Some(Fault::NoHost), "{hosts:?}");
        }
    }

    fn refuse_absolute(uri: &str, hosts: &[&str]) -> Option<Fault> {
        let mut request = Request::builder().uri(uri);
        for host in hosts {
            request = request.header(header::HOST, *host);
        }
        let names = AllowedHosts::new("127.0.0.1:80".parse().unwrap(), &[]);
        names.check(&request.body(()).unwrap()).err()
    }

    #[test]
    fn a_request_in_absolute_form_is_for_its_own_authority() {
        let refused = refuse_absolute("http://evil.example/", &["localhost"]);
        assert_eq!(refused, not_allowed("evil.example"));
        assert_eq!(refuse_absolute("https://localhost/", &["localhost"]), None);
        assert_eq!(refuse_absolute("http://localhost/", &["a", "b"]), Some(Fault::NoHost));
        let refused = refuse_absolute("http://a@localhost/", &["localhost"]);
        assert_eq!(refused, Some(Fault::InvalidHost("a@localhost".to_owned())));
    }

    #[test]
    fn only_http_is_served() {
        let refused = refuse_absolute("ftp://localhost/", &["localhost"]);
        assert_eq!(refused, Some(Fault::SchemeNotServed("ftp".to_owned())));
    }
}
