//! How the operator ends a server: once to drain it, twice to end it at once.

use std::io;

use crate::{HostError, Server};

/// Runs `server` until it ends or the process is told to.
pub(crate) async fn serve(server: Server) -> Result<(), HostError> {
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

#[cfg(unix)]
pub(crate) struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    pub(crate) fn listen() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    pub(crate) async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

#[cfg(windows)]
pub(crate) struct Signals(tokio::signal::windows::CtrlC);

#[cfg(windows)]
impl Signals {
    pub(crate) fn listen() -> io::Result<Self> {
        tokio::signal::windows::ctrl_c().map(Self)
    }

    pub(crate) async fn next(&mut self) {
        self.0.recv().await;
    }
}
