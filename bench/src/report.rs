//! What a run came to: as a table, and as JSON.

use std::{
    fmt::{self, Write},
    fs,
    path::Path,
    time::SystemTime,
};

use clap::ValueEnum;
use humantime_serde::re::humantime;
use serde::{Deserialize, Serialize};

use crate::{
    cli::RunArguments, contestant::Contestant, error::BenchError, figures::Figures,
    workload::Workload,
};

/// Everything about one run.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Report {
    pub(crate) date: String,
    pub(crate) machine: Machine,
    pub(crate) rounds: u32,
    pub(crate) seconds: f64,
    pub(crate) rows: Vec<Row>,
}

/// Where it ran.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Machine {
    pub(crate) cpu: String,
    pub(crate) cores: usize,
    pub(crate) kernel: String,
    /// Processes at work on average, in the minute before the run.
    pub(crate) load_before: String,
}

/// One contestant in one workload.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Row {
    pub(crate) workload: String,
    pub(crate) contestant: String,
    #[serde(flatten)]
    pub(crate) figures: Figures,
}

impl Row {
    pub(crate) fn new(workload: Workload, contestant: Contestant, figures: Figures) -> Self {
        let workload = workload.to_possible_value();
        let workload = workload.map_or_else(String::new, |value| value.get_name().to_owned());
        Self { workload, contestant: contestant.name(), figures }
    }
}

impl Report {
    pub(crate) fn new(arguments: &RunArguments) -> Self {
        Self {
            date: humantime::format_rfc3339_seconds(SystemTime::now()).to_string(),
            machine: Machine::this(),
            rounds: arguments.rounds,
            seconds: arguments.seconds,
            rows: Vec::new(),
        }
    }

    pub(crate) fn read(path: &Path) -> Result<Self, BenchError> {
        let text = fs::read_to_string(path)
            .map_err(|source| BenchError::File { path: path.to_owned(), source })?;
        serde_json::from_str(&text).map_err(|error| BenchError::Format {
            path: path.to_owned(),
            reason: error.to_string(),
        })
    }

    pub(crate) fn json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }
}

impl Machine {
    fn this() -> Self {
        // A machine that does not say is still one to measure on.
        let read = |path| fs::read_to_string(path).unwrap_or_default();
        let cpus = read("/proc/cpuinfo");
        let model = cpus.lines().find_map(|line| line.strip_prefix("model name"));
        Self {
            cpu: model.unwrap_or_default().trim_start_matches(['\t', ' ', ':']).to_owned(),
            cores: std::thread::available_parallelism().map_or(0, usize::from),
            kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
            load_before: read("/proc/loadavg").chars().take_while(|c| *c != ' ').collect(),
        }
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cpu, cores, kernel, load_before } = self;
        write!(f, "{cpu}, {cores} cores, Linux {kernel}, load {load_before} before the run")
    }
}

/// The rows of one workload as a table.
pub(crate) fn table(rows: &[Row]) -> String {
    let mut table = String::new();
    let Some(first) = rows.first() else { return table };
    let hyper = rows.iter().find(|row| row.contestant == "hyper").map(|row| row.figures.cpu_us);
    // Writing to a string does not fail.
    let _ = writeln!(
        table,
        "{:<20} {:>11} {:>9} {:>9} {:>9} {:>7} {:>8}",
        first.workload, "requests/s", "p50 µs", "p99 µs", "CPU µs", "×hyper", "MiB"
    );
    for Row { contestant, figures, .. } in rows {
        let Figures { requests_per_second, p50_us, p99_us, cpu_us, peak_kib } = figures;
        let ratio = hyper.map_or_else(String::new, |hyper| format!("{:.2}", cpu_us / hyper));
        let memory = *peak_kib as f64 / 1024.0;
        let _ = writeln!(
            table,
            "{contestant:<20} {requests_per_second:>11.0} {p50_us:>9.0} {p99_us:>9.0} \
             {cpu_us:>9.1} {ratio:>7} {memory:>8.1}"
        );
    }
    table
}
