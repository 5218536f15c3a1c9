//! The rounds: in each of them, all contestants of a workload have their turn.

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

/// Before a round, so that caches are warm and pools are filled.
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
    let takes_part = |who: &Contestant| who.takes_part(workload, artifacts);
    let contestants = contestants.into_iter().filter(takes_part);
    let mut rounds: Vec<_> = contestants.map(|who| (who, Vec::new())).collect();
    for _ in 0..arguments.rounds {
        for (who, figures) in &mut rounds {
            let running = Running::start(*who, workload.spec(), artifacts).await?;
            figures.push(running.round(Duration::from_secs_f64(arguments.seconds)).await?);
        }
    }
    let row = |(who, rounds): (Contestant, Vec<Figures>)| {
        Figures::medians(&rounds).map(|figures| Row::new(workload, who, figures))
    };
    Ok(rounds.into_iter().filter_map(row).collect())
}

/// A contestant for one round: one process may be slower than another of the same program, by a
/// third and for as long as it lives.
struct Running {
    process: Process,
    message: Message,
    spec: Spec,
}

impl Running {
    async fn start(who: Contestant, spec: Spec, artifacts: &Artifacts) -> Result<Self, BenchError> {
        let command = |port| who.command(artifacts, spec.tools, port);
        let mut process = Process::start(who.name(), command)?;
        let message = who.message(spec.question);
        process.answers(&message, spec.wire, PAUSE).await?;
        load::drive(process.addr(), process.name(), &message, spec, WARM_UP).await?;
        Ok(Self { process, message, spec })
    }

    async fn round(&self, time: Duration) -> Result<Figures, BenchError> {
        let Self { process, message, spec } = self;
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
}
