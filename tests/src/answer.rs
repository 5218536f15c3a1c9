//! What a client got.

use http::{HeaderMap, StatusCode};
use serde_json::Value;

/// A response, as far as it came.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, without its framing.
    pub body: Vec<u8>,
    /// The body ended as it should, and the connection was not cut in the middle of it.
    pub complete: bool,
}

impl Answer {
    /// A header that is there once, as text.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.get_all(name).iter();
        let value = values.next()?;
        assert!(values.next().is_none(), "{name} is repeated in {:?}", self.headers);
        Some(value.to_str().unwrap_or_else(|_| panic!("{name} is no text: {value:?}")))
    }

    /// The body as text.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap_or_else(|error| panic!("body: {error}"))
    }

    /// The one JSON value of the body: all of it, or the last event of a stream.
    pub fn json(&self) -> Value {
        match self.header("content-type") {
            Some("text/event-stream") => {
                self.events().pop().unwrap_or_else(|| panic!("no event in {self:?}"))
            }
            _ => serde_json::from_slice(&self.body)
                .unwrap_or_else(|error| panic!("{error}: {} {}", self.status, self.text())),
        }
    }

    /// The events of a stream.
    pub fn events(&self) -> Vec<Value> {
        let data = self.text().lines().filter_map(|line| line.strip_prefix("data: "));
        data.map(|json| {
            serde_json::from_str(json).unwrap_or_else(|error| panic!("{error}: {json}"))
        })
        .collect()
    }

    /// How many comments the stream has.
    pub fn comments(&self) -> usize {
        self.text().lines().filter(|line| line.starts_with(':')).count()
    }

    /// The code of the JSON-RPC error, if it is one.
    pub fn code(&self) -> Option<i64> {
        self.json()["error"]["code"].as_i64()
    }

    /// The text of a tool's result.
    pub fn result_text(&self) -> String {
        let json = self.json();
        let text = json["result"]["content"][0]["text"].as_str();
        text.unwrap_or_else(|| panic!("no text in {json}")).to_owned()
    }
}
