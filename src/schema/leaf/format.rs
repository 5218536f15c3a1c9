//! Formats of strings: those that Rust types declare and authors use. Others say nothing.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::protocol::uri::is_uri;

/// Whether a text has a format, where it is one that is checked.
pub(crate) fn matches(format: &str, text: &str) -> Option<bool> {
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

/// Whether a format is one that is checked.
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

/// `Mailbox` of RFC 5321 section 4.1.2, in ASCII, within the lengths of section 4.5.3.1: the rule to
/// which JSON Schema refers. So a client that checks a published schema or form refuses no more
/// and no less than the server. Quoted pairs are left out, as in other validators.
fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    text.len() <= 254 && local.len() <= 64 && is_local_part(local) && is_mail_domain(domain)
}

fn is_local_part(local: &str) -> bool {
    match local.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(quoted) => {
            quoted.bytes().all(|byte| matches!(byte, b' '..=b'~') && !b"\"\\".contains(&byte))
        }
        None => local.split('.').all(|atom| {
            let is_atom =
                |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte);
            !atom.is_empty() && atom.bytes().all(is_atom)
        }),
    }
}

fn is_mail_domain(domain: &str) -> bool {
    match domain.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(address) => match address.strip_prefix("IPv6:") {
            Some(address) => address.parse::<Ipv6Addr>().is_ok(),
            None => address.parse::<Ipv4Addr>().is_ok(),
        },
        None => is_hostname(domain),
    }
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

#[cfg(test)]
mod tests {
    use super::*;

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

    #[test]
    fn e4_email() {
        check(
            "email",
            &["a@b", "ann.b+c@example.co.uk", "o'hara@x-y.org", "1@1.2"],
            &[
                "",
                "a",
                "@",
                "a@",
                "@b",
                "a b@c",
                "a@b c",
                "a@b@c",
                "a..b@c",
                ".a@b",
                "a@b.",
                "a@-b",
                "a@b-",
                "a@b_c",
                "a@b\n",
                "a@[::1]",
                "\"a",
                "\"\\a\"@b",
                "\u{e4}@b",
                "a@\u{e4}",
            ],
        );
        assert_eq!(matches("email", &format!("{}@b", "a".repeat(65))), Some(false));
        assert_eq!(matches("email", &format!("a@{}", "b".repeat(253))), Some(false));
    }

    #[test]
    fn e4_uri() {
        check("uri", &["https://example.com/a?b#c", "urn:a"], &["", "example.com", "/a", "a b:c"]);
    }

    #[test]
    fn e4_date() {
        check(
            "date",
            &["2026-07-28", "2024-02-29", "2000-02-29", "0000-01-01", "9999-12-31"],
            &[
                "",
                "2026-7-28",
                "2026-13-01",
                "2026-00-01",
                "2026-01-00",
                "2026-04-31",
                "2023-02-29",
                "1900-02-29",
                "26-01-01",
                "2026-01-01T",
                "2026-01-01-",
                "+026-01-01",
                "2026/01/01",
                " 2026-01-01",
                "2026-01-0\u{661}",
            ],
        );
    }

    #[test]
    fn e4_date_time() {
        check(
            "date-time",
            &[
                "2026-07-28T00:00:00Z",
                "2026-07-28t23:59:60.123456789z",
                "2026-07-28T12:00:00+02:00",
                "2026-07-28T12:00:00.5-23:59",
            ],
            &[
                "",
                "2026-07-28",
                "2026-07-28T00:00:00",
                "2026-07-28 00:00:00Z",
                "2026-07-28T24:00:00Z",
                "2026-07-28T00:60:00Z",
                "2026-07-28T00:00:61Z",
                "2026-07-28T00:00Z",
                "2026-07-28T00:00:00.Z",
                "2026-07-28T00:00:00.1.2Z",
                "2026-07-28T00:00:00+2:00",
                "2026-07-28T00:00:00+24:00",
                "2026-07-28T00:00:00+0200",
                "2026-02-30T00:00:00Z",
                "2026-07-28T00:00:00ZZ",
            ],
        );
    }
}
