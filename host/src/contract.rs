//! What a guest and this host tell each other besides the answer itself.
//!
//! All of it travels in response fields that the host reads and strips; under any other host they
//! are absent or harmless.
//!
//! - `midge-exchange`: `application/x-www-form-urlencoded` pairs, as a header or, for what is
//!   known only at the end of a stream, as a trailer:
//!   `era=modern&method=tools/call&name=add&id=1&outcome=ok`.
//! - `midge-run-to-completion`: the guest is not cut when its client leaves.
//! - a line `midge: client-gone: …` or `midge: panic: …` on the guest's standard error is the
//!   cause in the exchange's own log line.

use std::{borrow::Cow, fmt, str::FromStr};

use http::{HeaderMap, HeaderName, HeaderValue, header};

const EXCHANGE: HeaderName = HeaderName::from_static("midge-exchange");
const RUN_TO_COMPLETION: HeaderName = HeaderName::from_static("midge-run-to-completion");

/// How an exchange ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Answered.
    Ok,
    /// Answered with a tool result that says it is an error.
    ToolError,
    /// Answered with a JSON-RPC error.
    ProtocolError,
    /// Refused before it was understood: method, path, headers or size.
    Rejected,
    /// The client left first.
    ClientGone,
    /// Cut by the host's limit of time.
    TimedOut,
    /// The guest trapped, or gave no answer.
    Trapped,
    /// The host had no room.
    Overloaded,
}

impl Outcome {
    /// The outcome's name, as in the log.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::ToolError => "tool-error",
            Self::ProtocolError => "protocol-error",
            Self::Rejected => "rejected",
            Self::ClientGone => "client-gone",
            Self::TimedOut => "timed-out",
            Self::Trapped => "trapped",
            Self::Overloaded => "overloaded",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that names no [`Outcome`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the name of an outcome")]
pub struct UnknownOutcome;

impl FromStr for Outcome {
    type Err = UnknownOutcome;

    fn from_str(text: &str) -> Result<Self, UnknownOutcome> {
        Ok(match text {
            "ok" => Self::Ok,
            "tool-error" => Self::ToolError,
            "protocol-error" => Self::ProtocolError,
            "rejected" => Self::Rejected,
            "client-gone" => Self::ClientGone,
            "timed-out" => Self::TimedOut,
            "trapped" => Self::Trapped,
            "overloaded" => Self::Overloaded,
            _ => return Err(UnknownOutcome),
        })
    }
}

/// What a guest said about its exchange, as it came.
#[derive(Debug, Default)]
pub(crate) struct Said(Vec<HeaderValue>);

impl Said {
    /// Moves what the guest said out of the fields of a head or a trailer.
    pub(crate) fn take(&mut self, fields: &mut HeaderMap) {
        if let header::Entry::Occupied(entry) = fields.entry(EXCHANGE) {
            self.0.extend(entry.remove_entry_mult().1);
        }
    }

    pub(crate) fn read(&self) -> Told<'_> {
        let mut told = Told::default();
        self.0.iter().for_each(|value| told.add(value.as_bytes()));
        told
    }
}

/// What a guest said about its exchange, read. What it did not say is `None`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Told<'a> {
    pub(crate) era: Option<Cow<'a, str>>,
    pub(crate) method: Option<Cow<'a, str>>,
    pub(crate) name: Option<Cow<'a, str>>,
    pub(crate) id: Option<Cow<'a, str>>,
    pub(crate) outcome: Option<Outcome>,
}

impl<'a> Told<'a> {
    /// Adds what a later field says.
    fn add(&mut self, pairs: &'a [u8]) {
        let is_encoded = memchr::memchr2(b'%', b'+', pairs).is_some();
        match std::str::from_utf8(pairs) {
            Ok(pairs) if !is_encoded => {
                let pairs = pairs.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
                pairs.for_each(|(key, value)| self.set(key, value.into()));
            }
            _ => form_urlencoded::parse(pairs).for_each(|(key, value)| self.set(&key, value)),
        }
    }

    /// Unknown pairs are from a newer guest and mean nothing here.
    fn set(&mut self, key: &str, value: Cow<'a, str>) {
        match key {
            "era" => self.era = Some(value),
            "method" => self.method = Some(value),
            "name" => self.name = Some(value),
            "id" => self.id = Some(value),
            "outcome" => self.outcome = value.parse().ok().or(self.outcome),
            _ => {}
        }
    }
}

/// Moves the guest's wish not to be cut out of the head.
pub(crate) fn take_run_to_completion(head: &mut HeaderMap) -> bool {
    head.remove(RUN_TO_COMPLETION).is_some()
}

/// Forgets the announcement of a trailer that the client will not get.
pub(crate) fn strip_trailer_announcement(head: &mut HeaderMap) {
    let ours =
        |value: &HeaderValue| value.as_bytes().eq_ignore_ascii_case(EXCHANGE.as_str().as_bytes());
    if head.get(header::TRAILER).is_some_and(ours) {
        head.remove(header::TRAILER);
    }
}

/// What a line of a guest's output is to the host.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Line<'a> {
    /// For people.
    Text(&'a str),
    /// The guest noticed that its client had gone.
    ClientGone(&'a str),
    /// The guest panicked.
    Panic(&'a str),
}

impl<'a> Line<'a> {
    pub(crate) fn read(line: &'a str) -> Self {
        let cause = |rest: &'a str| rest.trim_start_matches([':', ' ']).trim_end();
        if let Some(rest) = line.strip_prefix("midge: client-gone") {
            Self::ClientGone(cause(rest))
        } else if let Some(rest) = line.strip_prefix("midge: panic") {
            Self::Panic(cause(rest))
        } else {
            Self::Text(line)
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    fn fields(pairs: &[(HeaderName, &'static str)]) -> HeaderMap {
        let pair = |(name, value): &(HeaderName, &'static str)| {
            (name.clone(), HeaderValue::from_static(value))
        };
        pairs.iter().map(pair).collect()
    }

    #[test]
    fn a_head_is_read_and_stripped() {
        let mut head = fields(&[
            (EXCHANGE, "era=modern&method=tools%2Fcall&name=a+b&id=%221%22&outcome=tool-error&x=y"),
            (RUN_TO_COMPLETION, "1"),
            (header::TRAILER, "Midge-Exchange"),
            (header::CONTENT_TYPE, "application/json"),
        ]);
        let mut said = Said::default();
        said.take(&mut head);
        assert!(take_run_to_completion(&mut head));
        strip_trailer_announcement(&mut head);
        let told = said.read();
        assert_eq!(told.method.as_deref(), Some("tools/call"));
        assert_eq!(told.name.as_deref(), Some("a b"));
        assert_eq!(told.id.as_deref(), Some("\"1\""));
        assert_eq!(told.outcome, Some(Outcome::ToolError));
        assert_eq!(head.len(), 1);
    }

    #[test]
    fn a_trailer_adds_to_what_the_head_said() {
        let mut said = Said::default();
        said.take(&mut fields(&[(EXCHANGE, "name=add&outcome=ok")]));
        said.take(&mut fields(&[(EXCHANGE, "outcome=client-gone")]));
        said.take(&mut fields(&[(EXCHANGE, "outcome=nonsense")]));
        assert_eq!(said.read().name.as_deref(), Some("add"));
        assert_eq!(said.read().outcome, Some(Outcome::ClientGone));
    }

    #[test]
    fn what_needs_no_decoding_is_read_alike() {
        let mut plain = Said::default();
        plain.take(&mut fields(&[(EXCHANGE, "era=modern&method=tools/call&name&x=y&outcome=ok")]));
        let mut encoded = Said::default();
        encoded
            .take(&mut fields(&[(EXCHANGE, "era=moder%6e&method=tools%2Fcall&name&outcome=ok")]));
        assert_eq!(plain.read(), encoded.read());
        assert_eq!(plain.read().method.as_deref(), Some("tools/call"));
    }

    #[test]
    fn every_outcome_reads_back() {
        for name in [
            "ok",
            "tool-error",
            "protocol-error",
            "rejected",
            "client-gone",
            "timed-out",
            "trapped",
            "overloaded",
        ] {
            assert_eq!(name.parse::<Outcome>().unwrap().as_str(), name);
        }
    }

    #[test]
    fn marked_lines_are_for_the_host() {
        assert_eq!(Line::read("hello"), Line::Text("hello"));
        assert_eq!(Line::read("midge: client-gone: reset"), Line::ClientGone("reset"));
        assert_eq!(Line::read("midge: panic: at src/x.rs:1"), Line::Panic("at src/x.rs:1"));
        assert_eq!(Line::read("midge: other"), Line::Text("midge: other"));
    }
}
