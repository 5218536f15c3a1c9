//! The `midge` command.

use std::process::ExitCode;

/// Every exchange allocates and frees the same few things; this is about a tenth of its cost.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    midge_host::cli::main()
}
