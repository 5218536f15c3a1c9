//! What is found out about a message, for the line that its host logs.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::era::Era;
use crate::outcome::Outcome;
use crate::protocol::jsonrpc::RequestId;

/// Bytes of one value; clients choose names and ids.
const MAX_VALUE: usize = 128;

/// Room that most records do with, and for the pair at the end, in bytes.
const MOST_RECORDS: usize = 96;
const OUTCOME: usize = 24;

/// What is not left as it is in a value.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'*').remove(b'-').remove(b'.').remove(b'_');

/// Facts about an exchange, as `application/x-www-form-urlencoded` pairs: `method`, `id`, `era` and
/// `name` as soon as they are known, and `outcome` at the end.
#[derive(Debug, Default)]
pub(crate) struct Record {
    pairs: String,
}

impl Record {
    pub(crate) fn id(&mut self, id: &RequestId) {
        match id {
            RequestId::String(id) => self.push("id", id),
            RequestId::Number(id) => self.push("id", itoa::Buffer::new().format(*id)),
        }
    }

    pub(crate) fn method(&mut self, method: &str) {
        self.push("method", method);
    }

    pub(crate) fn name(&mut self, name: &str) {
        self.push("name", name);
    }

    pub(crate) fn era(&mut self, era: Era) {
        match era {
            Era::Modern => self.push("era", "modern"),
            Era::Legacy(_) => self.push("era", "legacy"),
        }
    }

    /// The header's value, with the outcome where it is known.
    pub(crate) fn to_header(&self, outcome: Option<Outcome>) -> String {
        let mut pairs = Self { pairs: String::with_capacity(self.pairs.len() + OUTCOME) };
        pairs.pairs.push_str(&self.pairs);
        if let Some(outcome) = outcome {
            pairs.push("outcome", outcome.as_str());
        }
        pairs.pairs
    }

    fn push(&mut self, key: &str, value: &str) {
        let mut end = value.len().min(MAX_VALUE);
        while !value.is_char_boundary(end) {
            end -= 1;
        }
        if self.pairs.is_empty() {
            self.pairs.reserve(MOST_RECORDS);
        } else {
            self.pairs.push('&');
        }
        self.pairs.push_str(key);
        self.pairs.push('=');
        self.pairs.extend(utf8_percent_encode(&value[..end], ENCODED));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_cannot_break_out_of_the_header() {
        let mut record = Record::default();
        record.method("tools/call");
        record.name(&format!("a&b=c\r\n{}", "\u{e4}".repeat(200)));
        let header = record.to_header(Some(Outcome::ToolError));
        let text = header.as_str();
        assert!(text.starts_with("method=tools%2Fcall&name=a%26b%3Dc%0D%0A%C3%A4"), "{text}");
        assert!(text.ends_with("&outcome=tool-error"), "{text}");
        assert!(text.len() < 600);
    }
}
