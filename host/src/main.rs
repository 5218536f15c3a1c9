//! The `midge` command.

use std::{io::Write, process::ExitCode};

use clap::Parser;
use midge_host::cli::{self, Cli};
use tokio::runtime::Runtime;

/// Every exchange allocates and frees the same few things; this is about a tenth of its cost.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = match Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&format!("cannot start the runtime: {error}")),
    };
    let result = runtime.block_on(cli::run(cli));
    // A write to a client that takes nothing, and still holds the pipe, must not keep the process.
    runtime.shutdown_background();
    result.unwrap_or_else(|error| fail(&error.to_string()))
}

fn fail(reason: &str) -> ExitCode {
    // Without a standard error there is no one left to tell.
    let _ = writeln!(std::io::stderr(), "midge: {reason}");
    ExitCode::FAILURE
}
