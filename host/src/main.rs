//! The `midge` command.

use std::{io::Write, process::ExitCode};

use clap::Parser;
use midge_host::cli::{self, Cli};

/// Every exchange allocates and frees the same few things; this is about a tenth of its cost.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    match cli::run(Cli::parse()).await {
        Ok(code) => code,
        Err(error) => {
            // Without a standard error there is no one left to tell.
            let _ = writeln!(std::io::stderr(), "midge: {error}");
            ExitCode::FAILURE
        }
    }
}
