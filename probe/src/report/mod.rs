//! What the battery found, for machines and for people.

use std::fmt;

use serde::Serialize;

use super::{
    Era,
    beacon::KeptRunning,
    case::{Ended, Stop},
};

/// What became of the server in a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// It accepts connections, and every exchange that should go well did.
    Survived,
    /// An exchange beside the aborted one, or after it, went wrong or hung.
    Wrong,
    /// It accepts no connection any more.
    Died,
    /// It does not have what the case is about.
    Skipped,
    /// The case was not tried: no time was left, or the server was gone before.
    NotRun,
}

impl Verdict {
    fn as_str(self) -> &'static str {
        match self {
            Self::Survived => "survived",
            Self::Wrong => "wrong",
            Self::Died => "died",
            Self::Skipped => "skipped",
            Self::NotRun => "not run",
        }
    }
}

/// What was seen in one case.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Finding {
    /// The case.
    pub case: &'static str,
    /// What became of the server.
    pub verdict: Verdict,
    /// What the aborted request was answered, where the client could still read: a status,
    /// `closed`, `reset` or `nothing in … s`.
    pub answered: Option<String>,
    /// How long the tool was seen at work after its client had left.
    pub kept_running: Option<KeptRunning>,
    /// What went wrong, why the case was skipped, or what else was seen.
    pub note: Option<String>,
    /// How long the case took, in milliseconds, with the good exchange after it.
    pub took_ms: u64,
}

impl Finding {
    pub(super) fn without(case: &'static str, verdict: Verdict, note: impl Into<String>) -> Self {
        let note = Some(note.into());
        Self { case, verdict, answered: None, kept_running: None, note, took_ms: 0 }
    }

    /// Judges what a case saw, and what was wrong after it.
    pub(super) fn judge(
        case: &'static str,
        ended: Ended,
        aftermath: Option<(Verdict, String)>,
    ) -> Self {
        match (ended, aftermath) {
            (Ok(seen), aftermath) => {
                let (verdict, wrong) = aftermath.unzip();
                Self {
                    case,
                    verdict: verdict.unwrap_or(Verdict::Survived),
                    answered: seen.answered.map(|answered| answered.to_string()),
                    kept_running: seen.kept_running,
                    note: wrong.or(seen.note),
                    took_ms: 0,
                }
            }
            (Err(_), Some((verdict, note))) => Self::without(case, verdict, note),
            (Err(stop), None) => Self::without(case, verdict_of(&stop), stop.to_string()),
        }
    }
}

fn verdict_of(stop: &Stop) -> Verdict {
    match stop {
        Stop::Skip(_) => Verdict::Skipped,
        Stop::OutOfTime | Stop::Probe(_) => Verdict::NotRun,
        Stop::Wrong(_) | Stop::Many { .. } | Stop::Stuck(_) => Verdict::Wrong,
    }
}

/// The columns of the table.
pub(super) const HEADING: &str =
    "case                       verdict   answered      kept running  note";

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kept = self.kept_running.map_or_else(String::new, |kept| {
            format!("{}{} ms", if kept.at_least { ">" } else { "" }, kept.ms)
        });
        let line = format!(
            "{:<27}{:<10}{:<14}{kept:<14}{}",
            self.case,
            self.verdict.as_str(),
            self.answered.as_deref().unwrap_or("-"),
            self.note.as_deref().unwrap_or_default(),
        );
        f.write_str(line.trim_end())
    }
}

/// What the battery found out about a server.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// The endpoint.
    pub url: String,
    /// What the server calls itself.
    pub server: Option<String>,
    /// How clients speak to it.
    pub era: Era,
    /// The revision of the protocol that was spoken.
    pub version: String,
    /// The tool that took its time, if there was one.
    pub slow_tool: Option<String>,
    /// The request that had to go well after each case.
    pub next_exchange: &'static str,
    /// A finding for each case.
    pub findings: Vec<Finding>,
}

impl Report {
    /// Whether every case was tried, and survived where the server has what it is about.
    pub fn survived(&self) -> bool {
        let fine =
            |finding: &Finding| matches!(finding.verdict, Verdict::Survived | Verdict::Skipped);
        self.findings.iter().all(fine) && self.count(Verdict::Survived) > 0
    }

    /// Whether a case went wrong.
    pub fn failed(&self) -> bool {
        self.count(Verdict::Wrong) + self.count(Verdict::Died) > 0
    }

    /// The exit code of `midge probe`: 0 if the server survived all it was put through, 1 if it did
    /// not, 2 if not all of it could be tried.
    pub fn exit_code(&self) -> u8 {
        match (self.failed(), self.survived()) {
            (true, _) => 1,
            (false, true) => 0,
            (false, false) => 2,
        }
    }

    /// How many findings have this verdict.
    pub fn count(&self, verdict: Verdict) -> usize {
        self.findings.iter().filter(|finding| finding.verdict == verdict).count()
    }

    /// The line above the table.
    pub(super) fn title(&self) -> String {
        let Self { url, server, version, slow_tool, next_exchange, .. } = self;
        let server = server.as_deref().unwrap_or("a nameless server");
        let slow = slow_tool.as_deref().unwrap_or("none");
        format!(
            "{server} at {url}: MCP {version}, slow tool: {slow}, next exchange: {next_exchange}"
        )
    }

    /// The line below the table.
    pub(super) fn summary(&self) -> String {
        let count = |verdict: Verdict| format!("{} {}", self.count(verdict), verdict.as_str());
        let all =
            [Verdict::Survived, Verdict::Wrong, Verdict::Died, Verdict::Skipped, Verdict::NotRun];
        all.map(count).join(", ")
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n\n{HEADING}", self.title())?;
        for finding in &self.findings {
            writeln!(f, "{finding}")?;
        }
        writeln!(f, "\n{}", self.summary())
    }
}
