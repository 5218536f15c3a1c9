//! Serves until a signal: the first one drains the server, the second one ends it.

use crate::{error::HostError, net::server::Server, signals::Signals};

/// Runs `server` until it has drained after a signal, or until a second signal.
pub(super) async fn until_signalled(server: Server) -> Result<(), HostError> {
    let mut signals = Signals::listen()
        .map_err(|source| HostError::System { what: "listen for signals", source })?;
    let handle = server.handle();
    let running = server.on_threads()?.run();
    tokio::pin!(running);
    tokio::select! {
        result = running.as_mut() => return result,
        () = signals.next() => {}
    }
    tracing::info!(target: "midge", "draining; once more to end at once");
    handle.shutdown();
    tokio::select! {
        result = running => result,
        () = signals.next() => Ok(()),
    }
}
