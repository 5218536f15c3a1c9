//! The finding of one case.

use serde::Serialize;

/// Judgement about the server in one case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The server accepts connections, and every exchange that must succeed did.
    Survived,
    /// An exchange beside or after the aborted one failed or hung.
    Wrong,
    /// The server no longer accepts connections.
    Died,
    /// The server lacks something that the case needs.
    Skipped,
    /// The case was not run: the time was over, or the server had not recovered from an earlier
    /// case.
    NotRun,
}

impl Verdict {
    /// Every verdict, in the order of the summary.
    pub(crate) const ALL: [Self; 5] =
        [Self::Survived, Self::Wrong, Self::Died, Self::Skipped, Self::NotRun];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Survived => "survived",
            Self::Wrong => "wrong",
            Self::Died => "died",
            Self::Skipped => "skipped",
            Self::NotRun => "not run",
        }
    }
}

/// How long a tool was observed to run after its client had disconnected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct KeptRunning {
    /// Milliseconds between the end of the client's connection and the end of the tool.
    pub ms: u64,
    /// The tool was still running when the observation ended.
    pub at_least: bool,
}

/// Result of one case.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Finding {
    /// Name of the case.
    pub case: &'static str,
    /// Judgement about the server.
    pub verdict: Verdict,
    /// What the server sent to the aborted request, where the client still read: a status,
    /// `closed`, `reset`, `nothing in … s` or `not HTTP`.
    pub answered: Option<String>,
    /// How long the tool was observed to run after its client had disconnected.
    pub kept_running: Option<KeptRunning>,
    /// Reason for the verdict, or another observation.
    pub note: Option<String>,
    /// Milliseconds that the case took, with the check after it.
    pub took_ms: u64,
}

impl Finding {
    /// Creates the finding of a case that recorded nothing.
    pub(crate) fn without_evidence(
        case: &'static str,
        verdict: Verdict,
        note: impl Into<String>,
    ) -> Self {
        let note = Some(note.into());
        Self { case, verdict, answered: None, kept_running: None, note, took_ms: 0 }
    }
}
