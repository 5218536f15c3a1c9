//! The rounds: all contestants of a workload are up, and take turns.

use std::time::Duration;

use crate::{
    artifacts::Artifacts,
    cli::RunArguments,
    contestant::Contestant,
    error::BenchError,
    figures::Figures,
    load,
    message::Message,
    process::Process,
    report::{Report, Row},
    workload::{Spec, Workload},
};

/// Before the first round, so that caches are warm and pools are filled.
const WARM_UP: Duration = Duration::from_millis(300);
/// How long a server's last work may go on after its last answer, and still be counted.
const SETTLE: Duration = Duration::from_millis(30);
/// Between two tries to reach a server that is starting.
const PAUSE: Duration = Duration::from_millis(10);

/// Runs all workloads; `tell` hears of each that is done.
pub(crate) async fn run(
    arguments: &RunArguments,
    artifacts: &Artifacts,
    tell: impl Fn(&[Row]),
) -> Result<Report, BenchError> {
    let mut report = Report::new(arguments);
    for (workload, contestants) in arguments.matrix() {
        let rows = compare(workload, contestants, arguments, artifacts).await?;
        tell(&rows);
        report.rows.extend(rows);
    }
    Ok(report)
}

async fn compare(
    workload: Workload,
    contestants: Vec<Contestant>,
    arguments: &RunArguments,
    artifacts: &Artifacts,
) -> Result<Vec<Row>, BenchError> {
    let spec = workload.spec();
    let takes_part = |who: &Contestant| who.takes_part(workload, artifacts);
    let mut running = Vec::new();
    for who in contestants.into_iter().filter(takes_part) {
        running.push(Running::start(who, spec, artifacts).await?);
    }
    for _ in 0..arguments.rounds {
        for running in &mut running {
            let figures = running.round(Duration::from_secs_f64(arguments.seconds)).await?;
            running.rounds.push(figures);
        }
    }
    Ok(running.iter().filter_map(|running| running.row(workload)).collect())
}

struct Running {
    who: Contestant,
    process: Process,
    message: Message,
    spec: Spec,
    rounds: Vec<Figures>,
}

impl Running {
    async fn start(who: Contestant, spec: Spec, artifacts: &Artifacts) -> Result<Self, BenchError> {
        let command = |port| who.command(artifacts, spec.tools, port);
        let mut process = Process::start(who.name(), command)?;
        let message = who.message(spec.question);
        process.answers(&message, spec.wire, PAUSE).await?;
        load::drive(process.addr(), process.name(), &message, spec, WARM_UP).await?;
        Ok(Self { who, process, message, spec, rounds: Vec::new() })
    }

    async fn round(&self, time: Duration) -> Result<Figures, BenchError> {
        let Self { process, message, spec, .. } = self;
        let before = process.cpu()?;
        let load = load::drive(process.addr(), process.name(), message, *spec, time).await?;
        tokio::time::sleep(SETTLE).await;
        let cpu = process.cpu()?.saturating_sub(before);
        Ok(Figures {
            requests_per_second: load.requests_per_second(),
            p50_us: load.quantile(0.5),
            p99_us: load.quantile(0.99),
            cpu_us: cpu.as_secs_f64() * 1e6 / load.requests().max(1) as f64,
            peak_kib: process.peak_memory()?,
        })
    }

    fn row(&self, workload: Workload) -> Option<Row> {
        let figures = Figures::medians(&self.rounds)?;
        Some(Row::new(workload, self.who, figures))
    }
}
