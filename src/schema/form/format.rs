//! The formats that a form knows, as strict as their RFCs and in ASCII, like them.

use crate::protocol::uri;

/// Whether a text is of a format; of one that is not known here, everything is.
pub(super) fn is(format: &str, text: &str) -> bool {
    match format {
        "email" => is_email(text),
        "uri" => uri::is_uri(text),
        "date" => is_date(text),
        "date-time" => is_date_time(text),
        _ => true,
    }
}

/// A mailbox of RFC 5321 without quotes and address literals.
fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte);
    let words =
        |text: &str| text.split('.').all(|word| !word.is_empty() && word.bytes().all(is_word));
    let is_label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    text.len() <= 254 && local.len() <= 64 && words(local) && domain.split('.').all(is_label)
}

/// `full-date` of RFC 3339.
fn is_date(text: &str) -> bool {
    let parts: Vec<_> = text.split('-').collect();
    let [year, month, day] = parts[..] else { return false };
    let (Some(year), Some(month), Some(day)) = (digits(year, 4), digits(month, 2), digits(day, 2))
    else {
        return false;
    };
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 if is_leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return false,
    };
    (1..=days).contains(&day)
}

/// `date-time` of RFC 3339.
fn is_date_time(text: &str) -> bool {
    let Some((date, rest)) = text.split_once(['T', 't']) else { return false };
    let time = match rest.strip_suffix(['Z', 'z']) {
        Some(time) => time,
        None => match rest.rsplit_once(['+', '-']) {
            Some((time, offset)) if is_clock(offset, &[23, 59]) => time,
            _ => return false,
        },
    };
    let (clock, fraction) = time.split_once('.').unwrap_or((time, "0"));
    // A leap second is the 61st of its minute.
    is_date(date) && is_clock(clock, &[23, 59, 60]) && is_digits(fraction)
}

/// Whether a text is two digits for each of the greatest values, with colons between them.
fn is_clock(text: &str, most: &[u32]) -> bool {
    let parts: Vec<_> = text.split(':').collect();
    let fits = |(part, most): (&&str, &u32)| digits(part, 2).is_some_and(|number| number <= *most);
    parts.len() == most.len() && parts.iter().zip(most).all(fits)
}

/// The number that so many digits are.
fn digits(text: &str, length: usize) -> Option<u32> {
    if text.len() == length && is_digits(text) { text.parse().ok() } else { None }
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(format: &str, good: &[&str], bad: &[&str]) {
        good.iter().for_each(|text| assert!(is(format, text), "{format} {text}"));
        bad.iter().for_each(|text| assert!(!is(format, text), "{format} {text}"));
    }

    #[test]
    fn e4_email() {
        check(
            "email",
            &["a@b", "ann.b+c@example.co.uk", "o'hara@x-y.org", "1@1.2"],
            &[
                "", "a", "@", "a@", "@b", "a b@c", "a@b c", "a@b@c", "a..b@c", ".a@b", "a@b.",
                "a@-b", "a@b-", "a@b_c", "a@b\n", "a@[::1]", "\u{e4}@b", "a@\u{e4}",
            ],
        );
        assert!(!is("email", &format!("{}@b", "a".repeat(65))));
        assert!(!is("email", &format!("a@{}", "b".repeat(253))));
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
