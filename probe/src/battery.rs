//! From the first case to the last.

use std::{sync::Arc, time::Duration};

use serde_json::Value;
use tokio::time::{Instant, timeout};

use super::{
    Finding, ProbeError, Report, Verdict,
    case::{Case, Stop},
    cases,
    detect::detect,
    ground::Ground,
    target::Target,
    wire::moment,
};

/// The longest a case may take. Each of its steps has a limit of its own; this one is for what
/// many steps add up to.
const LONGEST_CASE: Duration = Duration::from_secs(30);

/// A battery that is about to run against a server.
#[derive(Clone, Debug)]
#[must_use = "it does nothing until it is run"]
pub struct Probe {
    url: String,
    is_ours: bool,
    timeout: Duration,
    patience: Duration,
    slow: Option<(String, Value)>,
    only: Vec<String>,
}

impl Probe {
    /// A battery for the server at `url`, which is like `http://127.0.0.1:8080/mcp`.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            is_ours: false,
            timeout: Duration::from_secs(180),
            patience: Duration::from_secs(10),
            slow: None,
            only: Vec::new(),
        }
    }

    /// Names a tool that takes some seconds, and the arguments with which it does. Without it the
    /// tool `countdown` is taken, if the server has one.
    ///
    /// Where the arguments contain `{beacon}`, that is replaced by a URL. A tool that holds a
    /// connection to it for as long as it works shows by that when it ends.
    pub fn slow_tool(mut self, name: impl Into<String>, arguments: Value) -> Self {
        self.slow = Some((name.into(), arguments));
        self
    }

    /// How long the whole may take. Default 3 minutes; what is left then is not run.
    pub fn timeout(mut self, time: Duration) -> Self {
        self.timeout = time;
        self
    }

    /// How long an exchange that should go well may take. Default 10 seconds.
    pub fn patience(mut self, time: Duration) -> Self {
        self.patience = time;
        self
    }

    /// Runs this case; with several calls, these cases. By default all are run.
    pub fn only(mut self, case: impl Into<String>) -> Self {
        self.only.push(case.into());
        self
    }

    /// Says that a server that is not on this machine is one's own.
    pub fn i_own_this_server(mut self) -> Self {
        self.is_ours = true;
        self
    }

    /// The name of each case, and what its client does.
    pub fn cases() -> impl Iterator<Item = (&'static str, &'static str)> {
        cases::ALL.iter().map(|case| (case.name, case.about))
    }

    /// Runs the cases, one after the other, and tells `each` of every finding as it is made.
    ///
    /// # Errors
    ///
    /// [`ProbeError`] when there is nothing to test. A server that fails is no error: see
    /// [`Report::failed`].
    pub async fn run(self, mut each: impl FnMut(&Finding)) -> Result<Report, ProbeError> {
        let mut battery = Battery::prepare(self).await?;
        while let Some(finding) = battery.next().await {
            each(&finding);
            battery.report.findings.push(finding);
        }
        Ok(battery.report)
    }
}

/// A battery at work.
pub(super) struct Battery {
    pub(super) report: Report,
    ground: Arc<Ground>,
    cases: std::vec::IntoIter<Case>,
    deadline: Instant,
}

impl Battery {
    /// Gets to know the server.
    pub(super) async fn prepare(probe: Probe) -> Result<Self, ProbeError> {
        let deadline = Instant::now() + probe.timeout;
        let patience = probe.patience.min(probe.timeout);
        let cases = chosen(&probe.only)?.into_iter();
        let target = Target::find(&probe.url, probe.is_ours, patience).await?;
        let slow = probe.slow.as_ref().map(|(name, arguments)| (name.as_str(), arguments));
        let (ground, server) = detect(target, slow, patience).await?;
        let report = Report {
            url: probe.url,
            server,
            era: ground.dialect.era,
            version: ground.dialect.version.clone(),
            slow_tool: ground.slow.as_ref().map(|slow| slow.name.clone()),
            next_exchange: ground.check.method(),
            findings: Vec::new(),
        };
        Ok(Self { report, ground: Arc::new(ground), cases, deadline })
    }

    /// Runs the next case.
    pub(super) async fn next(&mut self) -> Option<Finding> {
        let case = self.cases.next()?;
        let time = self.deadline.saturating_duration_since(Instant::now());
        if time.is_zero() {
            let note = Stop::OutOfTime.to_string();
            return Some(Finding::without(case.name, Verdict::NotRun, note));
        }
        // What a case before this one has done is not this one's.
        if self.last_went_wrong() && self.ground.good().await.is_err() {
            let note = "the server did not come back from a case before";
            return Some(Finding::without(case.name, Verdict::NotRun, note));
        }
        let begin = Instant::now();
        let ended = timeout(LONGEST_CASE.min(time), (case.run)(&self.ground)).await;
        let ended = match ended {
            Ok(ended) => ended,
            Err(_) if time < LONGEST_CASE => Err(Stop::OutOfTime),
            Err(_) => Err(Stop::Stuck(LONGEST_CASE)),
        };
        let mut finding = Finding::judge(case.name, ended, self.aftermath().await);
        finding.took_ms = u64::try_from(begin.elapsed().as_millis()).unwrap_or(u64::MAX);
        Some(finding)
    }

    /// What is wrong after a case, once the server has had a moment to notice it.
    async fn aftermath(&self) -> Option<(Verdict, String)> {
        moment().await;
        let wrong = self.ground.good().await.err()?;
        // A server that is about to die may take the exchange with it.
        moment().await;
        let accepts = self.ground.target.connect().await.is_ok();
        let verdict = if accepts { Verdict::Wrong } else { Verdict::Died };
        Some((verdict, format!("next exchange: {wrong}")))
    }

    fn last_went_wrong(&self) -> bool {
        let last = self.report.findings.last();
        last.is_some_and(|last| !matches!(last.verdict, Verdict::Survived | Verdict::Skipped))
    }
}

fn chosen(only: &[String]) -> Result<Vec<Case>, ProbeError> {
    let known = |name: &&String| cases::ALL.iter().all(|case| case.name != name.as_str());
    if let Some(name) = only.iter().find(known) {
        return Err(ProbeError::NoSuchCase { name: name.clone() });
    }
    let is_chosen = |case: &&Case| only.is_empty() || only.iter().any(|name| name == case.name);
    Ok(cases::ALL.iter().filter(is_chosen).copied().collect())
}
