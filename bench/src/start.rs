//! From the start of a process to its first answer.

use std::{
    fmt::Write,
    time::{Duration, Instant},
};

use crate::{
    artifacts::Artifacts, contestant::Contestant, error::BenchError, figures::median,
    process::Process, workload::Workload,
};

/// Between two tries to reach the server: the figures are that much too high at most.
const PAUSE: Duration = Duration::from_micros(200);

/// Starts servers again and again, and tells the medians.
pub(crate) async fn measure(artifacts: &Artifacts, rounds: u32) -> Result<String, BenchError> {
    let mut table = format!("start to first answer, ms, medians of {rounds}\n");
    let contestants = [Contestant::Hyper, Contestant::Rmcp, Contestant::Midge];
    for who in contestants.into_iter().chain([Contestant::Wasmtime]) {
        if who.takes_part(Workload::Call, artifacts) {
            // Not counted: it fills the code cache.
            once(who, artifacts).await?;
            line(&mut table, &who.name(), series(who, artifacts, rounds).await?);
        }
    }
    let mut cold = Vec::new();
    for _ in 0..rounds {
        let folder = tempfile::tempdir()?;
        let mut artifacts = artifacts.clone();
        artifacts.cache = folder.path().to_owned();
        cold.push(once(Contestant::Midge, &artifacts).await?);
    }
    line(&mut table, "midge, empty cache", cold);
    Ok(table)
}

async fn series(
    who: Contestant,
    artifacts: &Artifacts,
    rounds: u32,
) -> Result<Vec<f64>, BenchError> {
    let mut times = Vec::new();
    for _ in 0..rounds {
        times.push(once(who, artifacts).await?);
    }
    Ok(times)
}

/// In milliseconds.
async fn once(who: Contestant, artifacts: &Artifacts) -> Result<f64, BenchError> {
    let spec = Workload::Call.spec();
    let message = who.message(spec.question);
    let start = Instant::now();
    let mut process = Process::start(who.name(), |port| who.command(artifacts, spec.tools, port))?;
    process.answers(&message, spec.wire, PAUSE).await?;
    Ok(start.elapsed().as_secs_f64() * 1000.0)
}

fn line(table: &mut String, what: &str, times: Vec<f64>) {
    let median = median(times).unwrap_or_default();
    // Writing to a string does not fail.
    let _ = writeln!(table, "{what:<20} {median:>8.1}");
}
