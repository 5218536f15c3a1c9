//! Formats of strings: those that Rust types declare and authors use. Others say nothing.

use std::net::{Ipv4Addr, Ipv6Addr};

/// Whether a text has a format, where it is one that is checked.
pub(super) fn matches(format: &str, text: &str) -> Option<bool> {
    Some(match format {
        "date-time" => is_date_time(text),
        "date" => is_date(text),
        "time" => is_time(text),
        "email" => is_email(text),
        "hostname" => is_hostname(text),
        "ipv4" => text.parse::<Ipv4Addr>().is_ok(),
        "ipv6" => text.parse::<Ipv6Addr>().is_ok(),
        "uri" => is_uri(text),
        "uuid" => has_shape(text, "hhhhhhhh-hhhh-hhhh-hhhh-hhhhhhhhhhhh"),
        _ => return None,
    })
}

pub(crate) fn is_known(format: &str) -> bool {
    matches(format, "").is_some()
}

/// Compares byte by byte; `d` in a shape is any digit, `h` any hexadecimal one.
fn has_shape(text: &str, shape: &str) -> bool {
    text.len() == shape.len()
        && text.bytes().zip(shape.bytes()).all(|(byte, shape)| match shape {
            b'd' => byte.is_ascii_digit(),
            b'h' => byte.is_ascii_hexdigit(),
            _ => byte == shape,
        })
}

/// RFC 3339, `date-time`.
fn is_date_time(text: &str) -> bool {
    text.split_once(['T', 't']).is_some_and(|(date, time)| is_date(date) && is_time(time))
}

fn is_date(text: &str) -> bool {
    if !has_shape(text, "dddd-dd-dd") {
        return false;
    }
    let (year, month, day) = (digits(&text[..4]), digits(&text[5..7]), digits(&text[8..]));
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    };
    (1..=days).contains(&day)
}

fn is_time(text: &str) -> bool {
    let Some((clock, rest)) = text.split_at_checked(8) else { return false };
    let zone = match rest.strip_prefix('.') {
        None => rest,
        Some(fraction) => match fraction.trim_start_matches(|digit: char| digit.is_ascii_digit()) {
            zone if zone.len() == fraction.len() => return false,
            zone => zone,
        },
    };
    let Some(offset) = offset(zone) else { return false };
    if !has_shape(clock, "dd:dd:dd") {
        return false;
    }
    let (hour, minute, second) = (digits(&clock[..2]), digits(&clock[3..5]), digits(&clock[6..]));
    // A leap second ends a day of UTC.
    let leap = || (hour * 60 + minute - offset).rem_euclid(24 * 60) == 23 * 60 + 59;
    hour < 24 && minute < 60 && (second < 60 || (second == 60 && leap()))
}

/// Minutes from UTC.
fn offset(zone: &str) -> Option<i32> {
    let sign = match zone.bytes().next()? {
        b'Z' | b'z' => return (zone.len() == 1).then_some(0),
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let zone = &zone[1..];
    let (hours, minutes) =
        has_shape(zone, "dd:dd").then(|| (digits(&zone[..2]), digits(&zone[3..])))?;
    (hours < 24 && minutes < 60).then_some(sign * (hours * 60 + minutes))
}

/// The number of a few digits that are known to be digits.
fn digits(text: &str) -> i32 {
    text.bytes().fold(0, |number, digit| number * 10 + i32::from(digit - b'0'))
}

/// RFC 5321, section 4.1.2.
fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let quoted = |local: &str| {
        local.bytes().all(|byte| matches!(byte, b' '..=b'~') && !b"\"\\".contains(&byte))
    };
    let is_local = match local.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(inner) => quoted(inner),
        None => local.split('.').all(|atom| {
            let is_atom =
                |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte);
            !atom.is_empty() && atom.bytes().all(is_atom)
        }),
    };
    let address = domain.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let is_domain = match address {
        Some(address) => match address.strip_prefix("IPv6:") {
            Some(address) => address.parse::<Ipv6Addr>().is_ok(),
            None => address.parse::<Ipv4Addr>().is_ok(),
        },
        None => is_hostname(domain),
    };
    is_local && is_domain
}

/// RFC 1123, section 2.1.
fn is_hostname(text: &str) -> bool {
    text.len() <= 253
        && text.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        })
}

/// RFC 3986: a scheme, and characters that may be in a URI; brackets only around an address.
fn is_uri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    let (rest, fragment) = rest.split_once('#').unwrap_or((rest, ""));
    let (authority, path) = match rest.strip_prefix("//") {
        None => ("", rest),
        Some(rest) => rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len())),
    };
    let (user, host) = authority.rsplit_once('@').unwrap_or(("", authority));
    is_scheme(scheme) && is_host(host) && [user, path, fragment].into_iter().all(has_uri_characters)
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

/// A host and maybe a port.
fn is_host(host: &str) -> bool {
    let (host, port) = match host.strip_prefix('[') {
        Some(rest) => match rest.split_once(']') {
            Some((address, port)) if address.parse::<Ipv6Addr>().is_ok() => ("", port),
            _ => return false,
        },
        None => host.split_at(host.find(':').unwrap_or(host.len())),
    };
    let port = port.strip_prefix(':').unwrap_or(port);
    has_uri_characters(host) && port.bytes().all(|byte| byte.is_ascii_digit())
}

fn has_uri_characters(text: &str) -> bool {
    let mut escapes = text.split('%');
    let plain = |part: &str| {
        part.bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-._~:/?@!$&'()*+,;=".contains(&byte))
    };
    escapes.next().is_some_and(plain)
        && escapes.all(|part| {
            part.split_at_checked(2).is_some_and(|(hex, rest)| has_shape(hex, "hh") && plain(rest))
        })
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[track_caller]
    fn check(format: &str, good: &[&str], bad: &[&str]) {
        for text in good {
            assert_eq!(matches(format, text), Some(true), "{format} {text}");
        }
        for text in bad {
            assert_eq!(matches(format, text), Some(false), "{format} {text}");
        }
    }

    #[test]
    fn t4_formats_of_time() {
        check(
            "date",
            &["2024-02-29", "2000-12-31"],
            &["2023-02-29", "1900-02-29", "2024-13-01", "2024-1-1", "2024-04-31", ""],
        );
        check(
            "time",
            &["08:30:06Z", "08:30:06.283185+01:00", "23:59:60z", "15:59:60-08:00"],
            &["08:30:06", "24:00:00Z", "08:30:06.Z", "08:30:06+24:00", "22:59:60Z", "08:30:06é"],
        );
        check("date-time", &["1963-06-19T08:30:06Z"], &["1963-06-19 08:30:06Z", "1963-06-19"]);
    }

    #[test]
    fn t4_formats_of_names_and_addresses() {
        let long = "a".repeat(64);
        check(
            "email",
            &["joe.bloggs@example.com", "\"a b\"@x", "a@[127.0.0.1]", "a@[IPv6:::1]"],
            &["joe", "@x", ".a@x", "a..b@x", "a@-x", "a@[1]"],
        );
        check("hostname", &["example.com", "a-1"], &["", "-a", "a-", "a..b", "a_b", &long]);
        check("ipv4", &["192.168.0.1"], &["256.0.0.1", "01.0.0.1", "1.2.3"]);
        check("ipv6", &["::1", "::ffff:1.2.3.4"], &["12345::", "1::2::3", "fe80::a%eth1"]);
        check(
            "uuid",
            &["2EB8AA08-aa98-11ea-b4aa-73b441d16380"],
            &["2eb8aa08aa9811eab4aa73b441d16380", ""],
        );
    }

    #[test]
    fn t4_format_uri() {
        check(
            "uri",
            &[
                "http://foo.bar/?baz=qux#quux",
                "urn:a:b",
                "ldap://[2001:db8::7]/c=GB?one",
                "mailto:a@b",
                "http://u:p@h:80/%20",
                "file:///a",
            ],
            &[
                "//foo.bar",
                "abc",
                ":a",
                "1a:b",
                "http://a b",
                "http://[::/",
                "http://h:port/",
                "a:%2",
                "a:<b>",
                "a:b#c#d",
            ],
        );
        assert_eq!(matches("unknown", ""), None);
    }
}
