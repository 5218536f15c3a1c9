//! The battery, from its settings to the report.

use std::{sync::Arc, time::Duration};

use serde_json::Value;
use tokio::time::{Instant, timeout};

use crate::{
    case::{Case, CaseError, CaseResult},
    cases,
    client::{endpoint::Endpoint, wire::settle},
    detect::detect,
    error::ProbeError,
    report::{
        Report,
        finding::{Finding, Verdict},
    },
    test_target::TestTarget,
};

/// Limit of one case. Each step has its own limit; this one bounds their sum.
const CASE_LIMIT: Duration = Duration::from_secs(30);

/// Builder of a battery against one server.
#[derive(Clone, Debug)]
#[must_use = "the battery does nothing until `run` is called"]
pub struct Probe {
    url: String,
    is_ours: bool,
    timeout: Duration,
    patience: Duration,
    slow_tool: Option<(String, Value)>,
    only: Vec<String>,
}

impl Probe {
    /// Creates a battery for the server at `url`, such as `http://127.0.0.1:8080/mcp`.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            is_ours: false,
            timeout: Duration::from_secs(180),
            patience: Duration::from_secs(10),
            slow_tool: None,
            only: Vec::new(),
        }
    }

    /// Sets a tool that takes some seconds, and its arguments. Without it the battery uses the tool
    /// `countdown`, if the server lists it.
    ///
    /// Each `{beacon}` in the arguments is replaced by a URL. The report says how long the tool
    /// kept running if the tool holds a connection to that URL while it runs.
    pub fn slow_tool(mut self, name: impl Into<String>, arguments: Value) -> Self {
        self.slow_tool = Some((name.into(), arguments));
        self
    }

    /// Sets the limit of the whole battery. Cases that are left then are not run. Default: 3
    /// minutes.
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.timeout = limit;
        self
    }

    /// Sets how long the server may take for a check. Default: 10 seconds.
    pub fn patience(mut self, limit: Duration) -> Self {
        self.patience = limit;
        self
    }

    /// Selects a case; several calls select several. Without it every case is run.
    pub fn only(mut self, case: impl Into<String>) -> Self {
        self.only.push(case.into());
        self
    }

    /// Allows a server that is not on this machine. The caller confirms that they own it.
    pub fn i_own_this_server(mut self) -> Self {
        self.is_ours = true;
        self
    }

    /// Returns the name of each case, and what its client does.
    pub fn cases() -> impl Iterator<Item = (&'static str, &'static str)> {
        cases::ALL.iter().map(|case| (case.name, case.about))
    }

    /// Runs the cases one after the other, and calls `each` with every finding.
    ///
    /// The future must be polled by a Tokio runtime with I/O and time enabled.
    ///
    /// # Errors
    ///
    /// Returns a [`ProbeError`] if the server cannot be tested. A server that fails is not an
    /// error: see [`Report::failed`].
    pub async fn run(self, mut each: impl FnMut(&Finding)) -> Result<Report, ProbeError> {
        let mut battery = Battery::prepare(self).await?;
        while let Some(finding) = battery.next().await {
            each(&finding);
            battery.report.findings.push(finding);
        }
        Ok(battery.report)
    }
}

/// Running battery.
pub(crate) struct Battery {
    pub(crate) report: Report,
    target: Arc<TestTarget>,
    cases: std::vec::IntoIter<Case>,
    deadline: Instant,
}

impl Battery {
    /// Finds the server and detects how to speak to it.
    pub(crate) async fn prepare(probe: Probe) -> Result<Self, ProbeError> {
        let deadline = Instant::now() + probe.timeout;
        let patience = probe.patience.min(probe.timeout);
        let cases = select(&probe.only)?.into_iter();
        let endpoint = Endpoint::find(&probe.url, probe.is_ours, patience).await?;
        let slow_tool = probe.slow_tool.as_ref();
        let slow_tool = slow_tool.map(|(name, arguments)| (name.as_str(), arguments));
        let target = detect(endpoint, slow_tool).await?;
        let report = Report {
            url: probe.url,
            server: target.server.clone(),
            era: target.dialect.era,
            version: target.dialect.version.clone(),
            slow_tool: target.slow_tool.as_ref().map(|tool| tool.name.clone()),
            next_exchange: target.check.method(),
            findings: Vec::new(),
        };
        Ok(Self { report, target: Arc::new(target), cases, deadline })
    }

    /// Runs the next case.
    pub(crate) async fn next(&mut self) -> Option<Finding> {
        let case = self.cases.next()?;
        let time = self.deadline.saturating_duration_since(Instant::now());
        if time.is_zero() {
            let note = CaseError::OutOfTime.to_string();
            return Some(Finding::without_evidence(case.name, Verdict::NotRun, note));
        }
        // A case must not be blamed for a failure that began in an earlier one.
        if self.last_failed() && self.target.check().await.is_err() {
            let note = "the server did not recover from an earlier case";
            return Some(Finding::without_evidence(case.name, Verdict::NotRun, note));
        }
        let begin = Instant::now();
        let result = match timeout(CASE_LIMIT.min(time), (case.run)(&self.target)).await {
            Ok(result) => result,
            Err(_) if time < CASE_LIMIT => Err(CaseError::OutOfTime),
            Err(_) => Err(CaseError::TimedOut(CASE_LIMIT)),
        };
        let mut finding = judge(case.name, result, self.aftermath().await);
        finding.took_ms = u64::try_from(begin.elapsed().as_millis()).unwrap_or(u64::MAX);
        Some(finding)
    }

    /// Runs the check after a case. Returns `None` if it succeeds.
    async fn aftermath(&self) -> Option<(Verdict, String)> {
        settle().await;
        let error = self.target.check().await.err()?;
        // A server that is about to exit may still have accepted the check.
        settle().await;
        let accepts = self.target.endpoint.connect().await.is_ok();
        let verdict = if accepts { Verdict::Wrong } else { Verdict::Died };
        Some((verdict, format!("next exchange: {error}")))
    }

    fn last_failed(&self) -> bool {
        let last = self.report.findings.last();
        last.is_some_and(|last| !matches!(last.verdict, Verdict::Survived | Verdict::Skipped))
    }
}

/// Judges a case by its result and by the check after it.
fn judge(case: &'static str, result: CaseResult, aftermath: Option<(Verdict, String)>) -> Finding {
    match (result, aftermath) {
        (Ok(evidence), aftermath) => {
            let (verdict, failure) = aftermath.unzip();
            Finding {
                case,
                verdict: verdict.unwrap_or(Verdict::Survived),
                answered: evidence.reply.map(|reply| reply.to_string()),
                kept_running: evidence.kept_running,
                note: failure.or(evidence.note),
                took_ms: 0,
            }
        }
        (Err(_), Some((verdict, note))) => Finding::without_evidence(case, verdict, note),
        (Err(error), None) => {
            Finding::without_evidence(case, verdict_of(&error), error.to_string())
        }
    }
}

fn verdict_of(error: &CaseError) -> Verdict {
    match error {
        CaseError::Skipped(_) => Verdict::Skipped,
        CaseError::OutOfTime | CaseError::Probe(_) => Verdict::NotRun,
        CaseError::Check(_) | CaseError::Concurrent { .. } | CaseError::TimedOut(_) => {
            Verdict::Wrong
        }
    }
}

fn select(only: &[String]) -> Result<Vec<Case>, ProbeError> {
    let is_unknown = |name: &&String| cases::ALL.iter().all(|case| case.name != name.as_str());
    if let Some(name) = only.iter().find(is_unknown) {
        return Err(ProbeError::NoSuchCase { name: name.clone() });
    }
    let is_selected = |case: &&Case| only.is_empty() || only.iter().any(|name| name == case.name);
    Ok(cases::ALL.iter().filter(is_selected).copied().collect())
}
