//! Why a call of another server has no answer.

/// Most bytes of an answer that `fetch` takes.
pub(crate) const MAX_BODY: usize = 8 << 20;

/// Why there is no answer of another server.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// The host of this component does not let it call that server.
    #[error("the operator of this server does not allow to call that host")]
    Denied,
    /// This is no request that can be sent: of its URI, its method or a header.
    #[error("not a request that can be sent: {0}")]
    Invalid(&'static str),
    /// The answer has more than 8 MiB.
    #[error("the answer has more than {} bytes", MAX_BODY)]
    TooLarge,
    /// The server was not reached, or did not answer as it should; the host's own words.
    #[error("{0}")]
    Failed(String),
    /// There is no outbound HTTP outside a component.
    #[error("there is no outbound HTTP in native code, only in a component")]
    Native,
}
