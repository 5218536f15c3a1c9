//! The command `midge`, for tests that start it.

use std::process::ExitCode;

fn main() -> ExitCode {
    midge_host::cli::main()
}
