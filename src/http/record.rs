//! What the server says about an exchange to its host: the `midge-exchange` header.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::message::Era;
use crate::outcome::Outcome;
use crate::protocol::jsonrpc::RequestId;

/// Facts about the exchange for one log line, as `application/x-www-form-urlencoded` pairs.
///
/// In the head of the answer: `era`, `method`, `name`, `id`, and `outcome` where it is known; in
/// the trailers of a stream: `outcome`. The `midge` host reads and strips them; other hosts pass
/// them on, which tells clients nothing they do not know.
pub(crate) const HEADER: &str = "midge-exchange";

/// Says that the host must not cut this exchange when the client goes away.
pub(crate) const RUN_TO_COMPLETION: &str = "midge-run-to-completion";

/// Bytes of one value; clients choose names and ids.
const MAX_VALUE: usize = 128;

/// What is not left as it is in a value.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'*').remove(b'-').remove(b'.').remove(b'_');

#[derive(Debug, Default)]
pub(crate) struct Record {
    pairs: String,
}

impl Record {
    pub(crate) fn id(&mut self, id: &RequestId) {
        self.push("id", &id.to_string());
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
        let mut pairs = Self { pairs: self.pairs.clone() };
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
        if !self.pairs.is_empty() {
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
