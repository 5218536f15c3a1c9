//! What is found out about a message, for the line that its host logs.

use percent_encoding::percent_encode_byte;

use super::era::Era;
use crate::handler::outcome::Outcome;
use crate::protocol::jsonrpc::RequestId;

/// Bytes of one value; clients choose names and ids.
const MAX_VALUE: usize = 128;

/// Room that most records do with, in bytes.
const MOST_RECORDS: usize = 120;

/// Facts about an exchange, as `application/x-www-form-urlencoded` pairs: `method`, `id`, `era` and
/// `name` as soon as they are known, and `outcome` at the end.
#[derive(Debug, Default)]
pub(crate) struct Record {
    pairs: String,
}

impl Record {
    pub(crate) fn id(&mut self, id: &RequestId) {
        match id {
            RequestId::String(id) => self.push("&id=", id),
            RequestId::Number(id) => self.push("&id=", itoa::Buffer::new().format(*id)),
        }
    }

    pub(crate) fn method(&mut self, method: &str) {
        self.push("&method=", method);
    }

    pub(crate) fn name(&mut self, name: &str) {
        self.push("&name=", name);
    }

    pub(crate) fn era(&mut self, era: Era) {
        match era {
            Era::Modern => self.push("&era=", "modern"),
            Era::Legacy(_) => self.push("&era=", "legacy"),
        }
    }

    /// The header's value, with the outcome where it is known.
    pub(crate) fn into_header(mut self, outcome: Option<Outcome>) -> String {
        if let Some(outcome) = outcome {
            self.push("&outcome=", outcome.as_str());
        }
        self.pairs
    }

    /// A key has what is around it: `&key=`.
    fn push(&mut self, key: &str, value: &str) {
        let mut key = key;
        if self.pairs.is_empty() {
            self.pairs.reserve(MOST_RECORDS);
            key = key.get(1..).unwrap_or_default();
        }
        self.pairs.push_str(key);
        let value = value.get(..value.floor_char_boundary(MAX_VALUE)).unwrap_or_default();
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/_-.*".contains(&byte);
        if value.bytes().all(is_plain) {
            self.pairs.push_str(value);
            return;
        }
        for byte in value.bytes() {
            if is_plain(byte) {
                self.pairs.push(char::from(byte));
            } else {
                self.pairs.push_str(percent_encode_byte(byte));
            }
        }
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
        let header = record.into_header(Some(Outcome::ToolError));
        let text = header.as_str();
        assert!(text.starts_with("method=tools/call&name=a%26b%3Dc%0D%0A%C3%A4"), "{text}");
        assert!(text.ends_with("&outcome=tool-error"), "{text}");
        assert!(text.len() < 600);
    }
}
