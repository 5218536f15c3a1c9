//! `midge dev`: builds a guest, serves it, and replaces it when its sources change.

mod sources;
mod watch;

use std::io;

use self::watch::Watch;
use crate::{
    build::{self, Target},
    cli::{
        announce::{SampleRequest, announce},
        serve,
    },
    error::{BuildError, HostError},
    net::server::{Server, ServerHandle},
    runtime::{component::Guest, host::Host},
};

/// Builds and serves `target`, and rebuilds it after each change, until a signal ends the server.
pub(super) async fn run(host: &Host, target: Target) -> Result<(), HostError> {
    let mut watch = Watch::new(&target).map_err(|error| HostError::System {
        what: "watch the sources",
        source: io::Error::other(error),
    })?;
    let guest = first_build(host, &target, &mut watch).await?;
    let server = Server::bind(host, guest, host.config().addr).await?;
    announce(server.local_addr(), &target.to_string(), SampleRequest::ListTools)?;
    let rebuilding = tokio::spawn(rebuild(host.clone(), target, watch, server.handle()));
    let result = serve::until_signalled(server).await;
    rebuilding.abort();
    result
}

/// Builds until the first build succeeds.
async fn first_build(host: &Host, target: &Target, watch: &mut Watch) -> Result<Guest, HostError> {
    loop {
        match build_and_load(host, target, watch).await {
            Err(error) if is_fixable(&error) => {
                tracing::error!(target: "midge::dev", "{error}; waiting for a change");
                watch.changed().await;
            }
            result => return result,
        }
    }
}

/// Rebuilds after each change, and replaces the guest of the server.
async fn rebuild(host: Host, target: Target, mut watch: Watch, server: ServerHandle) {
    loop {
        watch.changed().await;
        tracing::info!(target: "midge::dev", "sources changed, building");
        match build_and_load(&host, &target, &mut watch).await {
            Ok(guest) => {
                server.swap(guest);
                tracing::info!(target: "midge::dev", "serving the new guest");
            }
            Err(error) => {
                tracing::error!(target: "midge::dev", "{error}; still serving the previous guest");
            }
        }
    }
}

/// Builds and loads a guest.
async fn build_and_load(
    host: &Host,
    target: &Target,
    watch: &mut Watch,
) -> Result<Guest, HostError> {
    let component = build::build(target).await?;
    watch.follow(&sources::sources(&component));
    // On a blocking thread: compiling takes long, and the previous guest goes on serving.
    let loading = host.clone();
    match tokio::task::spawn_blocking(move || loading.load(component)).await {
        Ok(loaded) => loaded,
        Err(panic) => Err(HostError::Engine(panic.to_string())),
    }
}

/// Whether a change of the sources can fix an error.
fn is_fixable(error: &HostError) -> bool {
    matches!(
        error,
        HostError::Build(BuildError::Failed | BuildError::NoComponent)
            | HostError::NotAComponent { .. }
            | HostError::Compile { .. }
            | HostError::Link { .. }
            | HostError::NotAServer { .. }
    )
}
