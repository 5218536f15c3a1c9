//! Decoder of response bodies: one JSON message, or a stream of events.

use http::{HeaderMap, header::CONTENT_TYPE};
use serde_json::Value;

/// Bytes that are buffered of a response at most.
const LIMIT: usize = 32 << 20;

/// A response exceeded the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a response of more than 32 MiB")]
pub(crate) struct TooLarge;

/// Incremental decoder of JSON-RPC messages.
#[derive(Debug)]
pub(crate) struct MessageDecoder {
    is_stream: bool,
    buffer: Vec<u8>,
    /// In a stream: where the next search for the end of an event begins.
    searched: usize,
}

impl MessageDecoder {
    /// Creates a decoder for the body that follows these headers.
    pub(crate) fn new(headers: &HeaderMap) -> Self {
        let kind = headers.get(CONTENT_TYPE).map_or(&b""[..], |kind| kind.as_bytes());
        let is_stream = kind.to_ascii_lowercase().starts_with(b"text/event-stream");
        Self { is_stream, buffer: Vec::new(), searched: 0 }
    }

    pub(crate) fn is_stream(&self) -> bool {
        self.is_stream
    }

    /// Adds bytes, and returns the messages that they complete.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> Result<Vec<Value>, TooLarge> {
        if self.buffer.len() + bytes.len() > LIMIT {
            return Err(TooLarge);
        }
        if !self.is_stream {
            self.buffer.extend_from_slice(bytes);
            return Ok(Vec::new());
        }
        // Lines may end in CRLF. JSON on one line contains no CR.
        self.buffer.extend(bytes.iter().filter(|&&byte| byte != b'\r'));
        let mut messages = Vec::new();
        while let Some(end) = find_blank_line(&self.buffer, self.searched) {
            let event: Vec<u8> = self.buffer.drain(..end + 2).collect();
            self.searched = 0;
            messages.extend(decode_event(&event));
        }
        self.searched = self.buffer.len().saturating_sub(1);
        Ok(messages)
    }

    /// Returns the message of a body that is not a stream, at its end.
    pub(crate) fn finish(&self) -> Option<Value> {
        if self.is_stream { None } else { serde_json::from_slice(&self.buffer).ok() }
    }
}

fn find_blank_line(bytes: &[u8], from: usize) -> Option<usize> {
    let rest = bytes.get(from..)?;
    rest.windows(2).position(|pair| pair == b"\n\n").map(|at| from + at)
}

/// Returns the message of an event. Comments and the first event of a resumable stream have none.
fn decode_event(event: &[u8]) -> Option<Value> {
    let lines = event.split(|&byte| byte == b'\n');
    let data: Vec<u8> =
        lines.filter_map(|line| line.strip_prefix(b"data:")).flatten().copied().collect();
    serde_json::from_slice(&data).ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use http::HeaderValue;
    use serde_json::json;

    use super::*;

    fn decoder(content_type: &'static str) -> MessageDecoder {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        MessageDecoder::new(&headers)
    }

    #[test]
    fn decodes_events_that_are_cut_anywhere() {
        let text = b": hi\r\n\r\nevent: message\r\ndata: {\"a\":\r\ndata: 1}\r\n\r\nid: 1\ndata:\n\ndata:{\"b\":2}\n\ndata: {";
        for size in 1..text.len() {
            let mut decoder = decoder("text/event-stream; charset=utf-8");
            let mut messages = Vec::new();
            for piece in text.chunks(size) {
                messages.extend(decoder.push(piece).unwrap());
            }
            assert_eq!(messages, [json!({"a": 1}), json!({"b": 2})], "pieces of {size}");
            assert_eq!(decoder.finish(), None);
        }
    }

    #[test]
    fn decodes_json_at_the_end() {
        let mut decoder = decoder("application/json");
        assert_eq!(decoder.push(b"{\"a\"").unwrap(), Vec::<Value>::new());
        assert_eq!(decoder.finish(), None);
        decoder.push(b":1}").unwrap();
        assert_eq!(decoder.finish(), Some(json!({"a": 1})));
    }

    #[test]
    fn rejects_endless_responses() {
        let mut decoder = decoder("text/event-stream");
        let megabyte = vec![b'x'; 1 << 20];
        let taken = (0..100).take_while(|_| decoder.push(&megabyte).is_ok()).count();
        assert_eq!(taken, 32);
    }
}
