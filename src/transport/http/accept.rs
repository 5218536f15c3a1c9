//! The `Accept` header (RFC 9110, section 12.5.1), as far as two types need it.

use crate::headers::map::Fields;

/// The forms of an answer that the client takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Accepts {
    pub(crate) json: bool,
    pub(crate) events: bool,
}

/// What the protocol tells clients to send, as nearly all of them write it.
const USUAL: &[u8] = b"application/json, text/event-stream";

impl Accepts {
    pub(crate) const BOTH: Self = Self { json: true, events: true };

    /// Both, where the client does not say.
    pub(crate) fn from_headers(headers: &Fields) -> Self {
        let mut values = headers.values("accept");
        match (values.next(), values.next()) {
            (None, _) | (Some(USUAL), None) => return Self::BOTH,
            _ => {}
        }
        let (mut json, mut events) = (Wanted::default(), Wanted::default());
        for value in headers.texts("accept") {
            for range in value.as_bytes().split(|byte| *byte == b',') {
                let (range, weight) = cut(range, b';');
                let wanted = !is_refused(weight);
                json.see(range, b"application/", b"json", wanted);
                events.see(range, b"text/", b"event-stream", wanted);
            }
        }
        Self { json: json.wanted, events: events.wanted }
    }
}

/// What the most specific range that matches a type says of it.
#[derive(Default)]
struct Wanted {
    specificity: u8,
    wanted: bool,
}

impl Wanted {
    // Once in a component: it is needed where a client says something unusual.
    #[inline(never)]
    fn see(&mut self, range: &[u8], kind: &[u8], subtype: &[u8], wanted: bool) {
        let (range_kind, range_subtype) = range.split_at(range.len().min(kind.len()));
        let specificity = if range == b"*/*" {
            1
        } else if !range_kind.eq_ignore_ascii_case(kind) {
            return;
        } else if range_subtype == b"*" {
            2
        } else if range_subtype.eq_ignore_ascii_case(subtype) {
            3
        } else {
            return;
        };
        if specificity >= self.specificity {
            *self = Self { specificity, wanted };
        }
    }
}

/// Whether the parameters of a range have a weight of zero: `q=0`, `q=0.0`, `q=0.000`.
fn is_refused(parameters: &[u8]) -> bool {
    parameters.split(|byte| *byte == b';').any(|parameter| {
        let (name, weight) = cut(parameter, b'=');
        name.eq_ignore_ascii_case(b"q")
            && weight.starts_with(b"0")
            && weight.iter().all(|byte| matches!(byte, b'0' | b'.'))
    })
}

/// What is before a byte, and what is after it.
fn cut(text: &[u8], at: u8) -> (&[u8], &[u8]) {
    let end = text.iter().position(|byte| *byte == at).unwrap_or(text.len());
    (text[..end].trim_ascii(), text.get(end + 1..).unwrap_or_default().trim_ascii())
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
