//! The host names that a server accepts.

use std::{borrow::Cow, net::SocketAddr};

use http::{Request, header, uri::Authority};

use crate::telemetry::fault::Fault;

const LOOPBACK: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

/// The host names that a server accepts in requests.
///
/// A server on a loopback address is meant for programs on this machine. A web page whose own name
/// resolves to that address reaches it too (DNS rebinding), but cannot forge `Host`.
pub(super) struct AllowedHosts {
    allowed: Vec<String>,
    loopback: bool,
}

impl AllowedHosts {
    pub(super) fn new(bound: SocketAddr, allowed: &[String]) -> Self {
        let allowed = allowed.iter().map(|name| canonical(name).to_ascii_lowercase()).collect();
        Self { allowed, loopback: bound.ip().to_canonical().is_loopback() }
    }

    /// Checks that a request is for a host name that is accepted.
    pub(super) fn check<B>(&self, request: &Request<B>) -> Result<(), Fault> {
        let host = host(request).ok_or(Fault::NoHost)?;
        let host = canonical(&host);
        let is = |name: &str| name.eq_ignore_ascii_case(host);
        let accepted = self.allowed.iter().any(|name| is(name))
            || if self.loopback { LOOPBACK.into_iter().any(is) } else { self.allowed.is_empty() };
        if accepted { Ok(()) } else { Err(Fault::HostNotAllowed) }
    }
}

/// Returns the host that a request is for, without a port.
fn host<B>(request: &Request<B>) -> Option<Cow<'_, str>> {
    if let Some(authority) = request.uri().authority() {
        return Some(authority.host().into());
    }
    let mut hosts = request.headers().get_all(header::HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else { return None };
    if let Some(plain) = host.to_str().ok().and_then(plain_host) {
        return Some(plain.into());
    }
    let authority = Authority::try_from(host.as_bytes()).ok()?;
    Some(authority.host().to_owned().into())
}

/// Returns the host of an authority that is a name or an IPv4 address, without copying it.
fn plain_host(authority: &str) -> Option<&str> {
    let (host, port) = authority.split_once(':').unwrap_or((authority, "0"));
    let is_of_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-');
    let is_number =
        |text: &str| (1..=5).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    (!host.is_empty() && host.bytes().all(is_of_name) && is_number(port)).then_some(host)
}

fn canonical(host: &str) -> &str {
    host.strip_suffix('.').unwrap_or(host)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    fn refuse(bound: &str, allowed: &[&str], hosts: &[&str]) -> Option<Fault> {
        let allowed: Vec<String> = allowed.iter().map(ToString::to_string).collect();
        let mut request = Request::builder().uri("/mcp");
        for host in hosts {
            request = request.header(header::HOST, *host);
        }
        AllowedHosts::new(bound.parse().unwrap(), &allowed).check(&request.body(()).unwrap()).err()
    }

    #[test]
    fn a_loopback_server_is_for_loopback_names() {
        for host in ["localhost", "LOCALHOST:8080", "127.0.0.1:1", "[::1]:8080", "localhost."] {
            assert_eq!(refuse("127.0.0.1:8080", &[], &[host]), None, "{host}");
        }
        for host in ["evil.example", "localhost.evil.example", "127.0.0.2", "0.0.0.0"] {
            let refused = refuse("[::1]:8080", &[], &[host]);
            assert_eq!(refused, Some(Fault::HostNotAllowed), "{host}");
        }
    }

    #[test]
    fn more_names_can_be_allowed() {
        assert_eq!(refuse("127.0.0.1:80", &["mcp.example"], &["mcp.example:443"]), None);
        assert_eq!(refuse("127.0.0.1:80", &["mcp.example"], &["localhost"]), None);
    }

    #[test]
    fn a_public_server_has_every_name_until_some_are_given() {
        assert_eq!(refuse("0.0.0.0:80", &[], &["any.example"]), None);
        let refused = refuse("0.0.0.0:80", &["mcp.example"], &["any.example"]);
        assert_eq!(refused, Some(Fault::HostNotAllowed));
    }

    #[test]
    fn a_plain_host_is_what_parsing_says() {
        let hosts = [
            "a",
            "a.example.",
            "127.0.0.1:80",
            "A-b:65535",
            "a:",
            "a:x",
            "a:1:2",
            "a:99999",
            "a:123456",
        ];
        for text in hosts.into_iter().chain(["", ":1", "u@a", "a_b", "a%41", "a/b", "a b", "ä"]) {
            if let Some(host) = plain_host(text) {
                assert_eq!(Authority::try_from(text).unwrap().host(), host, "{text}");
            }
        }
        assert_eq!(plain_host("127.0.0.1:80"), Some("127.0.0.1"));
        assert_eq!(plain_host("[::1]:8"), None);
    }

    #[test]
    fn there_is_exactly_one_valid_host() {
        for hosts in [&[][..], &["a", "b"], &["a b"], &[""]] {
            assert_eq!(refuse("0.0.0.0:80", &[], hosts), Some(Fault::NoHost), "{hosts:?}");
        }
    }

    #[test]
    fn a_request_in_absolute_form_is_for_its_own_authority() {
        let names = AllowedHosts::new("127.0.0.1:80".parse().unwrap(), &[]);
        let request = Request::builder().uri("http://evil.example/").header("host", "localhost");
        assert_eq!(names.check(&request.body(()).unwrap()), Err(Fault::HostNotAllowed));
    }
}
