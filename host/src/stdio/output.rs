//! Standard output of a guest, and whether its client still reads it.

use std::{future::pending, io};

use tokio::io::AsyncWrite;
use wasmtime_wasi::{
    cli::{IsTerminal, StdoutStream},
    p2::{OutputStream, pipe::AsyncWriteStream},
};

/// Bytes that a guest may write before its client has read them.
const BUDGET: usize = 64 * 1024;

/// The output of a guest. Written on a blocking thread, so that a client that does not read blocks only
/// its own responses.
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

/// Resolves when the client has closed its end, where the system reports that before a write: for pipes
/// and sockets on Unix.
#[cfg(unix)]
pub(super) async fn client_disconnected() {
    use tokio::io::{Interest, unix::AsyncFd};

    #[expect(deprecated, reason = "its successor is unsafe; standard output is never closed")]
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

/// Elsewhere the next write fails.
#[cfg(not(unix))]
pub(super) async fn client_disconnected() {
    pending().await
}
