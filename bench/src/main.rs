//! The benchmark: what a fresh instance for every exchange costs, beside bare hyper, native SDKs
//! and another host.
//!
//! ```sh
//! cargo run --release -p midge-bench
//! ```
//!
//! How it measures, and what it measured, is in `docs/performance.md`.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program that measures has something to say"
)]

mod artifacts;
mod cli;
mod client;
mod compare;
mod contestant;
mod error;
mod figures;
mod load;
mod message;
mod plot;
mod process;
mod report;
mod run;
mod servers;
mod size;
mod start;
mod streams;
mod workload;

use std::{fs, path::Path, process::ExitCode};

use clap::Parser;
use tokio::runtime::Builder;

use self::{
    artifacts::Artifacts,
    cli::{Cli, Command, RunArguments},
    compare::Comparison,
    error::BenchError,
    report::Report,
};

/// As in the command `midge`, so that no native server is slower for its allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match begin(Cli::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("midge-bench: {error}");
            ExitCode::from(2)
        }
    }
}

fn begin(cli: Cli) -> Result<ExitCode, BenchError> {
    if let Some(Command::Serve { native, tools, port }) = cli.command {
        let servers = Builder::new_multi_thread().enable_all().build()?;
        servers.block_on(servers::serve(native, tools, port))?;
        return Ok(ExitCode::SUCCESS);
    }
    let artifacts = Artifacts::build()?;
    // One thread, so that the load leaves the machine to the servers.
    let clients = Builder::new_current_thread().enable_all().build()?;
    match cli.command {
        Some(Command::Start { rounds }) => {
            print!("{}", clients.block_on(start::measure(&artifacts, rounds))?);
        }
        Some(Command::Streams { count }) => {
            print!("{}", clients.block_on(streams::measure(&artifacts, count))?);
        }
        Some(Command::Size) => print!("{}", size::measure(&artifacts)?),
        _ => return clients.block_on(run(&cli.run, &artifacts)),
    }
    Ok(ExitCode::SUCCESS)
}

async fn run(arguments: &RunArguments, artifacts: &Artifacts) -> Result<ExitCode, BenchError> {
    let base = arguments.compare.as_deref().map(Report::read).transpose()?;
    let report = run::run(arguments, artifacts, |rows| println!("{}", report::table(rows))).await?;
    println!("{}, {}", report.date, report.machine);
    if let Some(path) = &arguments.json {
        write(path, &report.json())?;
    }
    if let Some(path) = &arguments.svg {
        write(path, &plot::svg(&report))?;
    }
    let Some(base) = base else { return Ok(ExitCode::SUCCESS) };
    let comparison = Comparison::new(&base, &report, arguments.tolerance);
    print!("\nCPU time since {}:\n{}", base.date, comparison.table);
    Ok(if comparison.is_worse { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn write(path: &Path, text: &str) -> Result<(), BenchError> {
    fs::write(path, text).map_err(|source| BenchError::File { path: path.to_owned(), source })
}
