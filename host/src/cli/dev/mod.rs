//! Guests from source: built with cargo, served, and swapped when their sources change.

mod watch;

use std::io;

use self::watch::Watch;
use crate::{
    build::{self, Target},
    cli::{
        announce::{self, Call},
        serve,
    },
    error::{BuildError, HostError},
    net::server::{Server, ServerHandle},
    runtime::{component::Guest, host::Host},
};

/// Builds and serves `target`, again and again, until told to stop.
pub(crate) async fn run(host: &Host, target: Target) -> Result<(), HostError> {
    let mut watch = Watch::new(&target).map_err(|error| HostError::System {
        what: "watch the sources",
        source: io::Error::other(error),
    })?;
    let guest = first(host, &target, &mut watch).await?;
    let server = Server::bind(host, guest, host.config().addr).await?;
    announce::announce(server.local_addr(), &target.to_string(), Call::List)?;
    let rebuilding = tokio::spawn(rebuild(host.clone(), target, watch, server.handle()));
    let result = serve::until_signalled(server).await;
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
    let built = build::build(target).await?;
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
