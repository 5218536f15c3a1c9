//! The report of a battery, for machines (JSON) and for people (a table).

pub(crate) mod finding;
pub(crate) mod table;

use serde::Serialize;

use crate::{
    client::dialect::Era,
    report::finding::{Finding, Verdict},
};

/// Findings of a battery about one server.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// URL of the endpoint.
    pub url: String,
    /// Name and version that the server reports.
    pub server: Option<String>,
    /// Generation of the protocol that the server speaks.
    pub era: Era,
    /// Version of the protocol that was used.
    pub version: String,
    /// Name of the slow tool, if the server has one.
    pub slow_tool: Option<String>,
    /// Method of the check that followed each case.
    pub next_exchange: &'static str,
    /// One finding for each case.
    pub findings: Vec<Finding>,
}

impl Report {
    /// Returns whether the server survived every case, except those that it lacks something for.
    pub fn survived(&self) -> bool {
        let passed =
            |finding: &Finding| matches!(finding.verdict, Verdict::Survived | Verdict::Skipped);
        self.findings.iter().all(passed) && self.count(Verdict::Survived) > 0
    }

    /// Returns whether the server failed a case.
    pub fn failed(&self) -> bool {
        self.count(Verdict::Wrong) + self.count(Verdict::Died) > 0
    }

    /// Returns the exit code of the command: 0 if the server survived every case, 1 if it failed
    /// one, 2 if it failed none but not all could be run.
    pub fn exit_code(&self) -> u8 {
        match (self.failed(), self.survived()) {
            (true, _) => 1,
            (false, true) => 0,
            (false, false) => 2,
        }
    }

    /// Returns the number of findings with this verdict.
    pub fn count(&self, verdict: Verdict) -> usize {
        self.findings.iter().filter(|finding| finding.verdict == verdict).count()
    }
}
