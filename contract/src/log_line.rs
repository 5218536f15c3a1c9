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

/// A line of a guest's standard error.
///
/// ```
/// use midge_contract::LogLine;
///
/// let line = LogLine::parse("midge: client-gone: connection reset");
/// assert_eq!(line, LogLine::ClientGone("connection reset"));
/// assert_eq!(LogLine::parse("listening"), LogLine::Text("listening"));
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
    /// Parses a line without its line break.
    #[must_use]
    pub fn parse(line: &'a str) -> Self {
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
    fn marked_lines_are_for_the_host() {
        assert_eq!(LogLine::parse("hello"), LogLine::Text("hello"));
        assert_eq!(LogLine::parse("midge: client-gone: reset"), LogLine::ClientGone("reset"));
        assert_eq!(LogLine::parse("midge: panic: at src/x.rs:1"), LogLine::Panic("at src/x.rs:1"));
        assert_eq!(LogLine::parse("midge: other"), LogLine::Text("midge: other"));
    }

    #[test]
    fn a_marked_line_may_have_no_cause() {
        for line in ["midge: client-gone", "midge: client-gone: ", "midge: client-gone:\r"] {
            assert_eq!(LogLine::parse(line), LogLine::ClientGone(""), "{line:?}");
        }
    }
}
