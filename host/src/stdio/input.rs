//! Standard input of a guest, which the client or the host can end.

use std::{io, sync::Arc, time::Duration};

use bytes::Bytes;
use tokio::{
    io::AsyncRead,
    sync::watch,
    time::{Instant, sleep_until},
};
use wasmtime_wasi::{
    async_trait,
    cli::{IsTerminal, StdinStream},
    p2::{InputStream, Pollable, StreamError},
};

/// How long the end of the input is held back. A client that is killed closes its output before its
/// input; the guest should see a disconnect then, and not the end.
const END_DELAY: Duration = Duration::from_millis(20);

/// The input of a guest. All clones share their state.
#[derive(Clone)]
pub(super) struct Input(Arc<watch::Sender<Stage>>);

/// The stages of the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Open,
    /// Reads return the end of the input.
    Ended,
    /// Reads fail: the client has disconnected.
    Failed,
}

impl Default for Input {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(Stage::Open)))
    }
}

impl Input {
    /// Waits until the input has ended.
    pub(super) async fn ended(&self) {
        // Fails only without a sender, and the sender is in `self`.
        let _ = self.0.subscribe().wait_for(|stage| *stage > Stage::Open).await;
    }

    /// Ends the input, even if the client sends more.
    pub(super) fn end(&self) {
        self.advance(Stage::Ended);
    }

    /// Makes reads fail, since the client has disconnected.
    pub(super) fn fail(&self) {
        self.advance(Stage::Failed);
    }

    fn advance(&self, to: Stage) {
        self.0.send_if_modified(|stage| {
            let further = *stage < to;
            *stage = to.max(*stage);
            further
        });
    }
}

impl IsTerminal for Input {
    fn is_terminal(&self) -> bool {
        io::IsTerminal::is_terminal(&io::stdin())
    }
}

impl StdinStream for Input {
    fn async_stream(&self) -> Box<dyn AsyncRead + Send + Sync> {
        tokio::io::stdin().async_stream()
    }

    fn p2_stream(&self) -> Box<dyn InputStream> {
        let stage = self.0.subscribe();
        let inner = tokio::io::stdin().p2_stream();
        Box::new(Stream { inner, input: self.clone(), stage, end: None })
    }
}

struct Stream {
    inner: Box<dyn InputStream>,
    input: Input,
    stage: watch::Receiver<Stage>,
    /// When the end that was read is passed on.
    end: Option<Instant>,
}

#[async_trait]
impl Pollable for Stream {
    async fn ready(&mut self) {
        if *self.stage.borrow_and_update() > Stage::Open {
            return;
        }
        let end = self.end;
        let inner = &mut self.inner;
        let input = async move {
            match end {
                Some(end) => sleep_until(end).await,
                None => inner.ready().await,
            }
        };
        tokio::select! {
            () = input => {}
            _ = self.stage.changed() => {}
        }
    }
}

impl InputStream for Stream {
    fn read(&mut self, size: usize) -> Result<Bytes, StreamError> {
        match *self.stage.borrow() {
            Stage::Open => {}
            Stage::Ended => return Err(StreamError::Closed),
            Stage::Failed => {
                let error = wasmtime::Error::msg("the client has disconnected");
                return Err(StreamError::LastOperationFailed(error));
            }
        }
        match self.end {
            Some(end) if Instant::now() < end => return Ok(Bytes::new()),
            Some(_) => {
                self.input.end();
                return Err(StreamError::Closed);
            }
            None => {}
        }
        match self.inner.read(size) {
            Err(StreamError::Closed) => {
                self.end = Some(Instant::now() + END_DELAY);
                Ok(Bytes::new())
            }
            read => read,
        }
    }
}
