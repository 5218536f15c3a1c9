//! Standard output of a guest, and whether its client still reads it.

use std::{
    future::pending,
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use bytes::Bytes;
use tokio::io::AsyncWrite;
use wasmtime_wasi::{
    async_trait,
    cli::{IsTerminal, StdoutStream},
    p2::{OutputStream, Pollable, StreamError, pipe::AsyncWriteStream},
};

use crate::{
    runtime::guest_log::{Channel, GuestOutput},
    telemetry::access_log::ExchangeRecord,
};

/// Bytes that a guest may write before its client has read them.
const BUDGET: usize = 64 * 1024;

/// The output of a guest. The first stream of it goes to the client. The SDK takes that one for the
/// protocol; every stream beside it belongs to tools that print, and is logged.
pub(super) struct Output {
    /// Whether a stream to the client is open.
    is_taken: Arc<AtomicBool>,
    log: GuestOutput,
}

impl Output {
    pub(super) fn new(record: &Arc<ExchangeRecord>) -> Self {
        let log = GuestOutput::new(Channel::Misdirected(false), usize::MAX, Arc::clone(record));
        Self { is_taken: Arc::default(), log }
    }
}

impl IsTerminal for Output {
    fn is_terminal(&self) -> bool {
        io::IsTerminal::is_terminal(&io::stdout())
    }
}

impl StdoutStream for Output {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        self.log.async_stream()
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        if self.is_taken.swap(true, Ordering::Relaxed) {
            return self.log.p2_stream();
        }
        let inner = AsyncWriteStream::new(BUDGET, tokio::io::stdout());
        Box::new(ToClient { inner, is_taken: Arc::clone(&self.is_taken) })
    }
}

/// The stream to the client. Written on a blocking thread, so that a client that does not read blocks
/// only its own responses.
struct ToClient {
    inner: AsyncWriteStream,
    is_taken: Arc<AtomicBool>,
}

impl Drop for ToClient {
    fn drop(&mut self) {
        // A guest without the SDK may open a stream for each message.
        self.is_taken.store(false, Ordering::Relaxed);
    }
}

#[async_trait]
impl Pollable for ToClient {
    async fn ready(&mut self) {
        self.inner.ready().await;
    }
}

#[async_trait]
impl OutputStream for ToClient {
    fn write(&mut self, bytes: Bytes) -> Result<(), StreamError> {
        self.inner.write(bytes)
    }

    fn flush(&mut self) -> Result<(), StreamError> {
        self.inner.flush()
    }

    fn check_write(&mut self) -> Result<usize, StreamError> {
        self.inner.check_write()
    }

    async fn cancel(&mut self) {
        self.inner.cancel().await;
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
