//! The `midge` command.

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    tracing_subscriber::fmt().init();
    let path = std::env::args().nth(1).unwrap_or_default();
    match run(&path).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(path: &str) -> Result<(), midge_host::HostError> {
    let config = midge_host::Config::default();
    let host = midge_host::Host::new(config)?;
    let guest = host.load(path)?;
    let server = midge_host::Server::bind(&host, guest, host.config().addr).await?;
    server.run().await
}
