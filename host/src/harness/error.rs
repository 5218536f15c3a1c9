//! Why an exchange of the harness has no answer.

use std::time::Duration;

use crate::error::HostError;

/// Why an exchange could not be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HarnessError {
    /// No thread, no runtime, or no port.
    #[error(transparent)]
    Host(#[from] HostError),
    /// The host could not be connected to.
    #[error("cannot connect: {0}")]
    Connect(#[source] std::io::Error),
    /// The request cannot be sent, or the connection closed before there was an answer.
    #[error("no answer: {0}")]
    NoAnswer(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// There is no end of the answer within this time, which is beyond all limits.
    #[error("no end of the answer within {0:?}")]
    Endless(Duration),
}
