//! Errors of the harness.

use std::time::Duration;

use crate::error::HostError;

/// Why an exchange has no response.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HarnessError {
    /// A thread, a runtime or a port is not available.
    #[error(transparent)]
    Host(#[from] HostError),
    /// Connecting to the host has failed.
    #[error("cannot connect: {0}")]
    Connect(#[source] std::io::Error),
    /// The request could not be sent, or the connection was closed before the response.
    #[error("no answer: {0}")]
    NoAnswer(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The response has not ended within this time, which is beyond all limits of the host.
    #[error("no end of the answer within {0:?}")]
    Endless(Duration),
}
