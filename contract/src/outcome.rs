use std::{error::Error, fmt, str::FromStr};

/// How an exchange ended.
///
/// A guest reports the first six. [`Trapped`](Self::Trapped) and [`Overloaded`](Self::Overloaded)
/// are known to hosts only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// The client got what it asked for.
    #[default]
    Ok,
    /// The client got a tool result that is marked as an error.
    ToolError,
    /// The client got a JSON-RPC error.
    ProtocolError,
    /// The request was refused before its message was read: its method, path, headers or size.
    Rejected,
    /// The client disconnected first. An ordinary end.
    ClientGone,
    /// The exchange took longer than a limit of the server or of the host.
    TimedOut,
    /// The guest trapped, or returned without a response.
    Trapped,
    /// The host had no room for another exchange.
    Overloaded,
}

impl Outcome {
    const ALL: [Self; 8] = [
        Self::Ok,
        Self::ToolError,
        Self::ProtocolError,
        Self::Rejected,
        Self::ClientGone,
        Self::TimedOut,
        Self::Trapped,
        Self::Overloaded,
    ];

    /// Returns the name of the outcome in headers and logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
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

impl FromStr for Outcome {
    type Err = UnknownOutcome;

    fn from_str(name: &str) -> Result<Self, UnknownOutcome> {
        Self::ALL.into_iter().find(|outcome| outcome.as_str() == name).ok_or(UnknownOutcome)
    }
}

/// Error for a text that is not the name of an [`Outcome`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownOutcome;

impl fmt::Display for UnknownOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not the name of an outcome")
    }
}

impl Error for UnknownOutcome {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_parses_to_its_outcome() {
        let names = [
            "ok",
            "tool-error",
            "protocol-error",
            "rejected",
            "client-gone",
            "timed-out",
            "trapped",
            "overloaded",
        ];
        for (outcome, name) in Outcome::ALL.into_iter().zip(names) {
            assert_eq!(name.parse(), Ok(outcome));
            assert_eq!(outcome.to_string(), name);
        }
        assert_eq!("OK".parse::<Outcome>(), Err(UnknownOutcome));
    }
}
