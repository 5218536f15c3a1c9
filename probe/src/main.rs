//! The command `midge-probe`.

use std::{
    io::{self, Write},
    process::ExitCode,
};

use clap::Parser;
use midge_probe::cli::{self, Arguments};
use tokio::runtime::Runtime;

/// The name in front of error messages.
const NAME: &str = env!("CARGO_BIN_NAME");

/// Test an MCP server against clients that disconnect
#[derive(Debug, Parser)]
#[command(version)]
struct Cli {
    #[command(flatten)]
    arguments: Arguments,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    match Runtime::new() {
        Ok(runtime) => runtime.block_on(cli::run(cli.arguments, NAME)),
        Err(error) => {
            // A closed standard error leaves nowhere to report to.
            let _ = writeln!(io::stderr(), "{NAME}: cannot start the runtime: {error}");
            ExitCode::from(cli::UNTESTED)
        }
    }
}
