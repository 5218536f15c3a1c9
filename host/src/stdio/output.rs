//! Standard output, and whether somebody is at its other end.

use std::{future::pending, io};

use tokio::io::AsyncWrite;
use wasmtime_wasi::{
    cli::{IsTerminal, StdoutStream},
    p2::{OutputStream, pipe::AsyncWriteStream},
};

/// What a guest may write before its client has taken it.
const BUDGET: usize = 64 * 1024;

/// The output of a guest. Written by a thread for what may block, so that a client that takes
/// nothing holds up nobody but its own answers.
pub(super) struct Output;

impl IsTerminal for Output {
    fn is_terminal(&self) -> bool {
        io::IsTerminal::is_terminal(&io::stdout())
    }
}

impl StdoutStream for Output {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(tokio::io::stdout())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(AsyncWriteStream::new(BUDGET, tokio::io::stdout()))
    }
}

/// Resolves when the client has closed its end, where the system can tell before something is
/// written: of pipes and sockets on Unix.
#[cfg(unix)]
pub(super) async fn client_left() {
    use tokio::io::{Interest, unix::AsyncFd};

    #[expect(deprecated, reason = "its successor is unsafe; this descriptor is open to the end")]
    let Ok(output) = AsyncFd::with_interest(io::stdout(), Interest::WRITABLE) else {
        return pending().await;
    };
    loop {
        match output.writable().await {
            Ok(ready) if ready.ready().is_write_closed() => return,
            Ok(mut ready) => ready.clear_ready(),
            Err(_) => return pending().await,
        }
    }
}

/// Elsewhere, the next write will tell.
#[cfg(not(unix))]
pub(super) async fn client_left() {
    pending().await
}
