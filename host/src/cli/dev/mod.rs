//! Guests from source: built with cargo, served, and swapped when their sources change.

mod build;
mod toolchain;
mod watch;

use std::path::PathBuf;

pub(crate) use self::build::{Target, build};
use self::watch::Watch;
use crate::{
    Guest, Host, HostError, Server, ServerHandle,
    cli::{self, Call, signals},
};

/// Why a guest cannot be built from source.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// There is no cargo project.
    #[error("no Cargo.toml in {}", path.display())]
    NoProject {
        /// The folder.
        path: PathBuf,
    },
    /// The source tree this command was built from is gone.
    #[error("there is no demo: no examples/demo.rs in {} (serve a component: `midge serve FILE`)", tree.display())]
    NoDemo {
        /// Where it was.
        tree: PathBuf,
    },
    /// A program cannot be started.
    #[error("cannot run `{program}`: {source}")]
    Run {
        /// The program.
        program: String,
        /// Why not.
        source: std::io::Error,
    },
    /// The target of components is not installed, and there is no rustup to do it.
    #[error(
        "the Rust target wasm32-wasip2 is missing: install it, with rustup: `rustup target add wasm32-wasip2`"
    )]
    NoTarget,
    /// cargo says on standard error what is wrong.
    #[error("cargo did not build the guest")]
    Failed,
    /// What cargo has built is no component.
    #[error(
        "cargo built no component: the guest's library or example needs `crate-type = [\"cdylib\"]`"
    )]
    NoComponent,
    /// The sources cannot be watched.
    #[error("cannot watch the sources: {0}")]
    Watch(#[from] notify::Error),
}

/// Builds and serves `target`, again and again, until told to stop.
pub(crate) async fn run(host: &Host, target: Target) -> Result<(), HostError> {
    let mut watch = Watch::new(&target).map_err(BuildError::from)?;
    let guest = first(host, &target, &mut watch).await?;
    let server = Server::bind(host, guest, host.config().addr).await?;
    cli::announce(server.local_addr(), &target.to_string(), Call::List)?;
    let rebuilding = tokio::spawn(rebuild(host.clone(), target, watch, server.handle()));
    let result = signals::serve(server).await;
    rebuilding.abort();
    result
}

/// The first build that works: there is nothing to serve before.
async fn first(host: &Host, target: &Target, watch: &mut Watch) -> Result<Guest, HostError> {
    loop {
        match make(host, target, watch).await {
            Err(error) if is_in_the_sources(&error) => {
                tracing::error!(target: "midge::dev", "{error}; waiting for a change");
                watch.changed().await;
            }
            result => return result,
        }
    }
}

async fn rebuild(host: Host, target: Target, mut watch: Watch, server: ServerHandle) {
    loop {
        watch.changed().await;
        tracing::info!(target: "midge::dev", "sources changed, building");
        match make(&host, &target, &mut watch).await {
            Ok(guest) => {
                server.swap(guest);
                tracing::info!(target: "midge::dev", "serving the new guest");
            }
            Err(error) => {
                tracing::error!(target: "midge::dev", "{error}; still serving the one before");
            }
        }
    }
}

async fn make(host: &Host, target: &Target, watch: &mut Watch) -> Result<Guest, HostError> {
    let built = build(target).await?;
    watch.follow(&built.sources);
    // Compiling takes its time, and exchanges of the guest before are at work meanwhile.
    let loading = host.clone();
    match tokio::task::spawn_blocking(move || loading.load(built.component)).await {
        Ok(loaded) => loaded,
        Err(panic) => Err(HostError::Engine(panic.to_string())),
    }
}

/// Whether a change of the sources may help.
fn is_in_the_sources(error: &HostError) -> bool {
    matches!(
        error,
        HostError::Build(BuildError::Failed | BuildError::NoComponent)
            | HostError::NotAComponent { .. }
            | HostError::Compile { .. }
            | HostError::Link { .. }
            | HostError::NotAServer { .. }
    )
}
