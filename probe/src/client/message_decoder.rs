//! What a server says: one JSON message, or a stream of events.

use http::{HeaderMap, header::CONTENT_TYPE};
use serde_json::Value;

/// The most of an answer that is kept; servers under test may go mad.
const LIMIT: usize = 32 << 20;

/// More came than any right answer has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an answer of more than 32 MiB")]
pub(super) struct TooLarge;

/// Puts the pieces of an answer together.
#[derive(Debug)]
pub(super) struct Reply {
    is_stream: bool,
    buffer: Vec<u8>,
    /// In a stream: where the next search for the end of an event begins.
    searched: usize,
}

impl Reply {
    /// An answer whose head has come.
    pub(super) fn new(headers: &HeaderMap) -> Self {
        let kind = headers.get(CONTENT_TYPE).map_or(&b""[..], |kind| kind.as_bytes());
        let is_stream = kind.to_ascii_lowercase().starts_with(b"text/event-stream");
        Self { is_stream, buffer: Vec::new(), searched: 0 }
    }

    pub(super) fn is_stream(&self) -> bool {
        self.is_stream
    }

    /// Takes what has come, and gives the messages that became whole by it.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<Vec<Value>, TooLarge> {
        if self.buffer.len() + bytes.len() > LIMIT {
            return Err(TooLarge);
        }
        if !self.is_stream {
            self.buffer.extend_from_slice(bytes);
            return Ok(Vec::new());
        }
        // Lines may end in CRLF; JSON on one line has no CR of its own.
        self.buffer.extend(bytes.iter().filter(|&&byte| byte != b'\r'));
        let mut messages = Vec::new();
        while let Some(end) = find_blank_line(&self.buffer, self.searched) {
            let event: Vec<u8> = self.buffer.drain(..end + 2).collect();
            self.searched = 0;
            messages.extend(message_of(&event));
        }
        self.searched = self.buffer.len().saturating_sub(1);
        Ok(messages)
    }

    /// The message of an answer that was no stream, at its end.
    pub(super) fn end(&self) -> Option<Value> {
        if self.is_stream { None } else { serde_json::from_slice(&self.buffer).ok() }
    }
}

fn find_blank_line(bytes: &[u8], from: usize) -> Option<usize> {
    let rest = bytes.get(from..)?;
    rest.windows(2).position(|pair| pair == b"\n\n").map(|at| from + at)
}

/// The message an event carries; comments and the events that begin a stream carry none.
fn message_of(event: &[u8]) -> Option<Value> {
    let lines = event.split(|&byte| byte == b'\n');
    let data: Vec<u8> =
        lines.filter_map(|line| line.strip_prefix(b"data:")).flatten().copied().collect();
    serde_json::from_slice(&data).ok()
}

/// What came from a server and is shown to people: short, on one line, nothing for the terminal.
pub(super) fn printable(text: &str) -> String {
    const LONGEST: usize = 80;
    let one_line = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    let mut short: String = one_line.take(LONGEST).collect();
    if text.chars().nth(LONGEST).is_some() {
        short.push('…');
    }
    short
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use http::HeaderValue;
    use serde_json::json;

    use super::*;

    fn reply(kind: &'static str) -> Reply {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        Reply::new(&headers)
    }

    #[test]
    fn events_may_be_cut_anywhere() {
        let text = b": hi\r\n\r\nevent: message\r\ndata: {\"a\":\r\ndata: 1}\r\n\r\nid: 1\ndata:\n\ndata:{\"b\":2}\n\ndata: {";
        for size in 1..text.len() {
            let mut reply = reply("text/event-stream; charset=utf-8");
            let mut messages = Vec::new();
            for piece in text.chunks(size) {
                messages.extend(reply.push(piece).unwrap());
            }
            assert_eq!(messages, [json!({"a": 1}), json!({"b": 2})], "pieces of {size}");
            assert_eq!(reply.end(), None);
        }
    }

    #[test]
    fn json_is_there_at_the_end() {
        let mut reply = reply("application/json");
        assert_eq!(reply.push(b"{\"a\"").unwrap(), Vec::<Value>::new());
        assert_eq!(reply.end(), None);
        reply.push(b":1}").unwrap();
        assert_eq!(reply.end(), Some(json!({"a": 1})));
    }

    #[test]
    fn endless_answers_have_an_end() {
        let mut reply = reply("text/event-stream");
        let megabyte = vec![b'x'; 1 << 20];
        let taken = (0..100).take_while(|_| reply.push(&megabyte).is_ok()).count();
        assert_eq!(taken, 32);
    }

    #[test]
    fn nothing_for_the_terminal_is_shown() {
        assert_eq!(printable("a\u{1b}[2J\nb"), "a [2J b");
        assert_eq!(printable(&"x".repeat(100)).chars().count(), 81);
    }
}
