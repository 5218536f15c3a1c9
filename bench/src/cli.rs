//! The arguments.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::{
    contestant::Contestant,
    servers::Native,
    workload::{Tools, Workload},
};

/// Measures what an exchange costs, beside native SDKs and other hosts.
///
/// Builds the host and the components first. `wasmtime serve` takes part when the variable
/// MIDGE_BENCH_WASMTIME names the command, or it is in PATH.
#[derive(Debug, Parser)]
#[command(name = "midge-bench", args_conflicts_with_subcommands = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) run: RunArguments,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Measure the time from the start of a process to its first answer
    Start {
        /// How often each is started
        #[arg(long, default_value_t = 11)]
        rounds: u32,
    },
    /// Measure the memory of streams that stay open
    Streams {
        /// How many
        #[arg(long, default_value_t = 1000)]
        count: usize,
    },
    /// Tell what the components consist of
    Size,
    /// Serve one of the native contestants
    #[command(hide = true)]
    Serve {
        native: Native,
        #[arg(long)]
        tools: Tools,
        #[arg(long)]
        port: u16,
    },
}

#[derive(Args, Debug)]
pub(crate) struct RunArguments {
    /// Contestants, by default all for `call` and three for the rest
    #[arg(long, value_delimiter = ',', value_name = "NAME")]
    pub(crate) only: Vec<Contestant>,
    /// Workloads, by default all
    #[arg(long, value_delimiter = ',', value_name = "NAME")]
    pub(crate) workload: Vec<Workload>,
    /// All contestants for all workloads
    #[arg(long)]
    pub(crate) all: bool,
    /// How often each contestant has its turn
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) rounds: u32,
    /// How long a turn is
    #[arg(long, default_value_t = 1.0)]
    pub(crate) seconds: f64,
    /// Write the figures to a file
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
    /// Draw the first workload
    #[arg(long, value_name = "FILE")]
    pub(crate) svg: Option<PathBuf>,
    /// Compare with the figures of an earlier run on this machine; exit code 1 if the CPU time of
    /// a request grew
    #[arg(long, value_name = "FILE")]
    pub(crate) compare: Option<PathBuf>,
    /// Percent that it may have grown
    #[arg(long, default_value_t = 10.0, value_name = "PERCENT")]
    pub(crate) tolerance: f64,
}

/// Who is measured in every workload.
const FEW: [Contestant; 3] = [Contestant::Hyper, Contestant::RmcpTuned, Contestant::Midge];

impl RunArguments {
    /// What is run, and who takes part.
    pub(crate) fn matrix(&self) -> Vec<(Workload, Vec<Contestant>)> {
        let workloads = match &self.workload[..] {
            [] => Workload::value_variants(),
            some => some,
        };
        workloads.iter().map(|workload| (*workload, self.contestants(*workload))).collect()
    }

    fn contestants(&self, workload: Workload) -> Vec<Contestant> {
        match &self.only[..] {
            [] if self.all || workload == Workload::Call => Contestant::value_variants().to_vec(),
            [] => FEW.to_vec(),
            some => some.to_vec(),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_arguments_are_consistent() {
        Cli::command().debug_assert();
    }
}
