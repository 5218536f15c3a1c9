//! One case of the battery and its possible results.

use std::{pin::Pin, sync::Arc, time::Duration};

use crate::{
    client::{check_error::CheckError, wire::Reply},
    error::ProbeError,
    report::finding::KeptRunning,
    test_target::TestTarget,
};

/// Future of a running case.
pub(crate) type CaseFuture<'a> = Pin<Box<dyn Future<Output = CaseResult> + Send + 'a>>;
/// Result of a case, before the check that follows it.
pub(crate) type CaseResult = Result<Evidence, CaseError>;

/// One way to disconnect.
#[derive(Clone, Copy)]
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) run: for<'a> fn(&'a Arc<TestTarget>) -> CaseFuture<'a>,
}

impl Case {
    pub(crate) const fn new(
        name: &'static str,
        about: &'static str,
        run: for<'a> fn(&'a Arc<TestTarget>) -> CaseFuture<'a>,
    ) -> Self {
        Self { name, about, run }
    }
}

/// What the client of a case recorded.
#[derive(Debug, Default)]
pub(crate) struct Evidence {
    pub(crate) reply: Option<Reply>,
    pub(crate) kept_running: Option<KeptRunning>,
    pub(crate) note: Option<String>,
}

impl Evidence {
    /// Evidence of a client that disconnected without reading.
    pub(crate) fn none() -> Self {
        Self::default()
    }

    pub(crate) fn reply(reply: Reply) -> Self {
        Self { reply: Some(reply), ..Self::default() }
    }

    pub(crate) fn kept_running(kept_running: Option<KeptRunning>) -> Self {
        Self { kept_running, ..Self::default() }
    }

    #[must_use]
    pub(crate) fn note(self, note: impl Into<String>) -> Self {
        Self { note: Some(note.into()), ..self }
    }
}

/// Reason why a case did not complete.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CaseError {
    /// The server lacks something that the case needs.
    #[error("{0}")]
    Skipped(&'static str),
    /// An exchange before or beside the aborted one failed.
    #[error("beside the aborted exchange: {0}")]
    Check(#[from] CheckError),
    /// Some of many concurrent exchanges failed.
    #[error("{failed} of {of} concurrent exchanges failed, one of them: {last}")]
    Concurrent { failed: usize, of: usize, last: CheckError },
    /// The case exceeded its time limit.
    #[error("the case did not end within {0:?}")]
    TimedOut(Duration),
    /// The time of the whole battery ran out.
    #[error("out of time")]
    OutOfTime,
    /// The probe itself failed.
    #[error(transparent)]
    Probe(#[from] ProbeError),
}
