//! URIs (RFC 3986): their syntax, their decoding, and which of them are safe to read by.

use std::borrow::Cow;
use std::net::Ipv6Addr;

use percent_encoding::percent_decode_str;

/// Whether a text is a URI, with a scheme; a relative reference is none.
///
/// The crate `iri-string` decides alike but for hosts such as `[v1.a]`, and would add 4 KB to a
/// component that uses it for nothing else.
pub(crate) fn is_uri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    let (rest, fragment) = rest.split_once('#').unwrap_or((rest, ""));
    let (authority, path) = match rest.strip_prefix("//") {
        None => ("", rest),
        Some(rest) => rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len())),
    };
    let (user, host) = authority.split_once('@').unwrap_or(("", authority));
    is_scheme(scheme)
        && !host.contains('@')
        && is_host(host)
        && [user, path, fragment].into_iter().all(has_uri_characters)
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

/// A host and maybe a port; brackets only around an address.
fn is_host(host: &str) -> bool {
    let (host, port) = match host.strip_prefix('[') {
        Some(rest) => match rest.split_once(']') {
            Some((address, port)) if address.parse::<Ipv6Addr>().is_ok() => ("", port),
            _ => return false,
        },
        None => host.split_at(host.find(':').unwrap_or(host.len())),
    };
    let is_port = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit());
    has_uri_characters(host) && (port.is_empty() || port.strip_prefix(':').is_some_and(is_port))
}

fn has_uri_characters(text: &str) -> bool {
    let is_plain =
        |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/?@!$&'()*+,;=%".contains(&byte);
    text.bytes().all(is_plain) && has_whole_escapes(text)
}

/// Whether two hexadecimal digits follow each `%`.
fn has_whole_escapes(text: &str) -> bool {
    let is_escape = |rest: &str| {
        rest.as_bytes().get(..2).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    text.split('%').skip(1).all(is_escape)
}

/// Undoes percent-encoding, once. `None` where a `%` stands for nothing, or the bytes are not
/// UTF-8.
pub(crate) fn decode(text: &str) -> Option<String> {
    if !has_whole_escapes(text) {
        return None;
    }
    percent_decode_str(text).decode_utf8().ok().map(Cow::into_owned)
}

/// Whether a URI that a client wants to read leads where it seems to lead, also for a handler that
/// takes a part of it for the path of a file.
///
/// Decoded once, it has no control characters and no segment `.` or `..`. A `file:` URI has no
/// backslash and no encoded slash at all. What is encoded twice (`%252e`) is a literal `%2e` to
/// whoever decodes once, as [`decode`] does.
pub(crate) fn is_safe(uri: &str) -> bool {
    let Some(decoded) = decode(uri) else { return false };
    if decoded.contains(char::is_control) || has_dot_segment(&decoded) {
        return false;
    }
    let is_file = decoded.split(':').next().is_some_and(|text| text.eq_ignore_ascii_case("file"));
    let slashes = |text: &str| text.matches('/').count();
    !is_file || (!decoded.contains('\\') && slashes(&decoded) == slashes(uri))
}

/// Whether a decoded text has a segment `.` or `..`, between slashes of both kinds and whatever
/// else divides a URI: a handler may take its path from a query or from a host.
pub(crate) fn has_dot_segment(text: &str) -> bool {
    let mut segments = text.split(['/', '\\', ':', '?', '#', '&', '=']);
    segments.any(|segment| segment == "." || segment == "..")
}

#[cfg(test)]
mod tests {
    use iri_string::types::UriStr;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn r5_uris_are_those_of_another_parser(
            parts in prop::collection::vec(prop::sample::select(PARTS.to_vec()), 0..12),
        ) {
            let text: String = parts.concat();
            prop_assert_eq!(is_uri(&text), UriStr::new(&text).is_ok(), "{}", text);
        }
    }

    /// What URIs are made of, and some that they are not.
    const PARTS: [&str; 24] = [
        "a",
        "Z",
        "1",
        "+",
        ".",
        ":",
        ":",
        "/",
        "//",
        "://",
        "?",
        "#",
        "@",
        "[",
        "]",
        "[::1]",
        "%",
        "%2F",
        "%e",
        "\\",
        " ",
        "\u{e9}",
        "|",
        "~!$&'()*,;=_-",
    ];

    #[test]
    fn r5_uris_follow_the_rfc_and_have_a_scheme() {
        for uri in [
            "file:///etc/hosts",
            "test://static-text",
            "https://user@[2001:db8::1]:8080/a;b/c%20d?q=1&r=%C3%A9#top",
            "urn:isbn:0451450523",
            "a+b-c.1:",
        ] {
            assert!(is_uri(uri), "{uri}");
        }
        for text in [
            "",
            "a",
            "/etc/hosts",
            "//host/a",
            "1a:b",
            "a b:c",
            "a:b c",
            "a:%zz",
            "a:%2",
            "a:\u{e9}",
            "a:b\\c",
            "a://[b",
        ] {
            assert!(!is_uri(text), "{text}");
        }
    }

    #[test]
    fn r5_percent_encoding_is_undone_once_and_strictly() {
        assert_eq!(decode("a%20b%C3%A9%252e").as_deref(), Some("a b\u{e9}%2e"));
        for wrong in ["%", "%2", "%zz", "a%2", "%%20", "%c0%ae", "%ff", "%+1"] {
            assert_eq!(decode(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn r5_ordinary_uris_are_safe() {
        for uri in [
            "file:///srv/notes/a%20b.txt",
            "file:///srv//double//slashes",
            "file:///srv/.hidden/..twice/three.../v1..2",
            "notes://2026/%C3%BCber",
            "notes://a%2Fb",
            "search://items?q=a.b&range=1..2",
            "https://example.com/",
        ] {
            assert!(is_safe(uri), "{uri}");
        }
    }

    #[test]
    fn r5_traversal_is_not_safe() {
        for uri in [
            "file:///srv/../etc/passwd",
            "file:///srv/./a",
            "file:///srv/..",
            "file:///srv/%2e%2e/etc/passwd",
            "file:///srv/.%2E/etc/passwd",
            "file:///srv/%2e/etc/passwd",
            "file:///srv/..%2fetc%2fpasswd",
            "file:///srv/a%2Fb",
            "file:///srv/a%5Cb",
            "file:///srv/a\\b",
            "FILE:///srv/a%5Cb",
            "%66ile:///srv/a%5Cb",
            "file:///srv/..%5c..%5cwindows",
            "notes://..%2F..%2Fetc",
            "notes://a%5C..%5Cb",
            "notes://../etc",
            "notes:..",
            "notes:%2e%2e/etc",
            "../etc/passwd",
            "a/../b:c",
            "search://files?path=..%2F..%2Fetc",
            "search://files?path=../etc",
            "file:///srv/a#/../b",
        ] {
            assert!(!is_safe(uri), "{uri}");
        }
    }

    #[test]
    fn r5_what_a_file_name_cannot_be_is_not_safe() {
        for uri in [
            "file:///srv/a%00.txt",
            "file:///srv/a\0.txt",
            "notes://a%0d%0ab",
            "notes://a%7f",
            "notes://%c2%85",
            "file:///srv/%c0%ae%c0%ae/etc",
            "file:///srv/%ff",
            "file:///srv/%",
            "file:///srv/%2",
            "file:///srv/%u002e",
        ] {
            assert!(!is_safe(uri), "{uri}");
        }
    }

    #[test]
    fn r5_what_is_encoded_twice_is_literal() {
        assert!(is_safe("file:///srv/%252e%252e/a"));
        assert_eq!(decode("%252e%252e%252f").as_deref(), Some("%2e%2e%2f"));
    }
}
