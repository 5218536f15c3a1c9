//! How an exchange ended, in the words that guests, hosts and logs share.

/// How an exchange ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Outcome {
    /// The client got what it asked for.
    #[default]
    Ok,
    /// A tool said that it failed.
    ToolError,
    /// The client got a JSON-RPC error.
    ProtocolError,
    /// HTTP was answered before there was a message to answer.
    Rejected,
    /// The client went away. An ordinary end.
    ClientGone,
    /// A handler took longer than the server's time limit.
    TimedOut,
}

impl Outcome {
    /// The outcome as it is written in logs and in the `midge-exchange` header.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Outcome::Ok => "ok",
            Outcome::ToolError => "tool-error",
            Outcome::ProtocolError => "protocol-error",
            Outcome::Rejected => "rejected",
            Outcome::ClientGone => "client-gone",
            Outcome::TimedOut => "timed-out",
        }
    }
}
