//! What a case is, and what it may come to.

use std::{pin::Pin, sync::Arc, time::Duration};

use super::{ProbeError, beacon::KeptRunning, ground::Ground, wire::Answered, wrong::Wrong};

/// A case at work.
pub(super) type Running<'a> = Pin<Box<dyn Future<Output = Ended> + Send + 'a>>;
/// How a case ended.
pub(super) type Ended = Result<Seen, Stop>;

/// One way to go away.
#[derive(Clone, Copy)]
pub(super) struct Case {
    pub(super) name: &'static str,
    pub(super) about: &'static str,
    pub(super) run: for<'a> fn(&'a Arc<Ground>) -> Running<'a>,
}

impl Case {
    pub(super) const fn new(
        name: &'static str,
        about: &'static str,
        run: for<'a> fn(&'a Arc<Ground>) -> Running<'a>,
    ) -> Self {
        Self { name, about, run }
    }
}

/// What a case saw, besides what follows it.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) answered: Option<Answered>,
    pub(super) kept_running: Option<KeptRunning>,
    pub(super) note: Option<String>,
}

impl Seen {
    /// The client was gone before anything could be seen.
    pub(super) fn nothing() -> Self {
        Self::default()
    }

    pub(super) fn answer(answered: Answered) -> Self {
        Self { answered: Some(answered), ..Self::default() }
    }

    pub(super) fn kept(kept_running: Option<KeptRunning>) -> Self {
        Self { kept_running, ..Self::default() }
    }

    #[must_use]
    pub(super) fn note(self, note: impl Into<String>) -> Self {
        Self { note: Some(note.into()), ..self }
    }
}

/// Why a case did not come to its end.
#[derive(Debug, thiserror::Error)]
pub(super) enum Stop {
    /// The server does not have what the case is about.
    #[error("{0}")]
    Skip(&'static str),
    /// An exchange beside the aborted one, or before it, went wrong.
    #[error("beside the aborted exchange: {0}")]
    Wrong(#[from] Wrong),
    /// Some of many exchanges at once went wrong.
    #[error("{wrong} of {of} exchanges at once went wrong, one of them: {last}")]
    Many { wrong: usize, of: usize, last: Wrong },
    /// The case took too long in all.
    #[error("the case did not end within {0:?}")]
    Stuck(Duration),
    /// The time of the battery was over.
    #[error("out of time")]
    OutOfTime,
    /// The battery itself lacks something.
    #[error(transparent)]
    Probe(#[from] ProbeError),
}
