/// The start of every line that the SDK writes to standard error.
pub const LOG_PREFIX: &str = "midge: ";

/// Follows [`LOG_PREFIX`] in lines about errors whose cause is kept from the client. The host prints
/// such a line like any other.
pub const INTERNAL_ERROR: &str = "internal error: ";

/// The start of the line of a guest that noticed that its client has disconnected. The cause follows
/// after `: `.
pub const CLIENT_GONE: &str = "midge: client-gone";

/// The start of the line of a guest that panicked. Message and location follow after `: `.
pub const PANIC: &str = "midge: panic";

/// The environment variable with the key of a guest's own lines. The SDK writes such a line as the key,
/// a blank and the line. Without the variable it writes the line alone.
pub const LOG_KEY: &str = "MIDGE_LOG_KEY";

/// A line of a guest's standard error.
///
/// Only a line with the key of the guest concerns the host. A tool may print what its client has sent,
/// and a client does not know the key.
///
/// ```
/// use midge_contract::LogLine;
///
/// let line = LogLine::parse("53cr37 midge: client-gone: connection reset", "53cr37");
/// assert_eq!(line, LogLine::ClientGone("connection reset"));
/// let line = LogLine::parse("midge: client-gone: a client says", "53cr37");
/// assert_eq!(line, LogLine::Text("midge: client-gone: a client says"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogLine<'a> {
    /// A line for people.
    Text(&'a str),
    /// The guest noticed that its client has disconnected, for this cause.
    ClientGone(&'a str),
    /// The guest panicked, with this message and location.
    Panic(&'a str),
}

impl<'a> LogLine<'a> {
    /// Parses a line without its line break. `key` is the one that the guest was given.
    #[must_use]
    pub fn parse(line: &'a str, key: &str) -> Self {
        let own = line.strip_prefix(key).and_then(|rest| rest.strip_prefix(' '));
        let Some(line) = own else { return Self::Text(line) };
        let cause = |rest: &'a str| rest.trim_start_matches([':', ' ']).trim_end();
        if let Some(rest) = line.strip_prefix(CLIENT_GONE) {
            Self::ClientGone(cause(rest))
        } else if let Some(rest) = line.strip_prefix(PANIC) {
            Self::Panic(cause(rest))
        } else {
            Self::Text(line)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_with_the_key_are_for_the_host() {
        let parse = |line| LogLine::parse(line, "k");
        assert_eq!(parse("hello"), LogLine::Text("hello"));
        assert_eq!(parse("k midge: client-gone: reset"), LogLine::ClientGone("reset"));
        assert_eq!(parse("k midge: panic: at src/x.rs:1"), LogLine::Panic("at src/x.rs:1"));
        assert_eq!(parse("k midge: other"), LogLine::Text("midge: other"));
    }

    #[test]
    fn lines_without_the_key_are_text() {
        for line in [
            "midge: client-gone: reset",
            "midge: panic: at src/x.rs:1",
            "other midge: panic: x",
            "kmidge: panic: x",
            " k midge: panic: x",
            "K midge: panic: x",
        ] {
            assert_eq!(LogLine::parse(line, "k"), LogLine::Text(line));
        }
    }

    #[test]
    fn a_marked_line_may_have_no_cause() {
        for line in ["k midge: client-gone", "k midge: client-gone: ", "k midge: client-gone:\r"] {
            assert_eq!(LogLine::parse(line, "k"), LogLine::ClientGone(""), "{line:?}");
        }
    }
}
