//! The `Accept` header (RFC 9110, section 12.5.1), as far as two types need it.

use crate::fields::Fields;

/// The forms of an answer that the client takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Accepts {
    pub(crate) json: bool,
    pub(crate) events: bool,
}

impl Accepts {
    /// Both, where the client does not say.
    pub(crate) fn from_headers(headers: &Fields) -> Self {
        if !headers.contains("accept") {
            return Self { json: true, events: true };
        }
        Self {
            json: accepts(headers, "application", "json"),
            events: accepts(headers, "text", "event-stream"),
        }
    }
}

/// Whether the most specific range that matches the type has a weight above zero.
fn accepts(headers: &Fields, kind: &str, subtype: &str) -> bool {
    headers
        .texts("accept")
        .flat_map(|value| value.split(','))
        .filter_map(|range| matches(range, kind, subtype))
        .max_by_key(|(specificity, _)| *specificity)
        .is_some_and(|(_, wanted)| wanted)
}

/// How exactly a range names the type, and whether it wants it.
fn matches(range: &str, kind: &str, subtype: &str) -> Option<(u8, bool)> {
    let mut parts = range.split(';').map(str::trim);
    let (range_kind, range_subtype) = parts.next()?.split_once('/')?;
    let specificity = match (range_kind, range_subtype) {
        ("*", "*") => 0,
        (k, "*") if k.eq_ignore_ascii_case(kind) => 1,
        (k, s) if k.eq_ignore_ascii_case(kind) && s.eq_ignore_ascii_case(subtype) => 2,
        _ => return None,
    };
    let refused = parts
        .filter_map(|part| part.split_once('='))
        .any(|(name, weight)| name.trim().eq_ignore_ascii_case("q") && is_zero(weight.trim()));
    Some((specificity, !refused))
}

/// Whether a weight is zero: `0`, `0.0`, `0.000`.
fn is_zero(weight: &str) -> bool {
    weight.starts_with('0') && weight.bytes().all(|byte| matches!(byte, b'0' | b'.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accept(value: &'static str) -> (bool, bool) {
        let mut headers = Fields::default();
        headers.push("accept", value);
        let accepts = Accepts::from_headers(&headers);
        (accepts.json, accepts.events)
    }

    #[test]
    fn h10_accept_is_read_as_rfc_9110_says() {
        for (value, expected) in [
            ("application/json, text/event-stream", (true, true)),
            ("text/event-stream,application/json", (true, true)),
            ("application/json", (true, false)),
            ("text/event-stream", (false, true)),
            ("*/*", (true, true)),
            ("application/*", (true, false)),
            ("text/*;q=0.5", (false, true)),
            ("*/*, application/json;q=0", (false, true)),
            ("APPLICATION/JSON; q=0.1", (true, false)),
            ("text/html, image/png", (false, false)),
            ("", (false, false)),
            ("nonsense", (false, false)),
        ] {
            assert_eq!(accept(value), expected, "{value}");
        }
        let none = Accepts::from_headers(&Fields::default());
        assert!(none.json && none.events);
    }
}
