//! Standard input, which ends when its client says so, and also when the host does.

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

/// How long the end of the input is kept back, to see whether the client has gone altogether: one
/// that is killed closes its two ends one after the other.
const GLANCE: Duration = Duration::from_millis(20);

/// The input of a guest. All clones are one.
#[derive(Clone)]
pub(super) struct Input(Arc<watch::Sender<Stage>>);

/// How far the input has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Open,
    /// Whoever reads on finds its end.
    Ended,
    /// Whoever reads on finds that the client has gone.
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
        // The sender is in this very value, so there is something to wait for.
        let _ = self.0.subscribe().wait_for(|stage| *stage > Stage::Open).await;
    }

    /// Ends it, whatever its client is about to send.
    pub(super) fn end(&self) {
        self.advance(Stage::Ended);
    }

    /// Says that the client has gone.
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
    /// When the end that was found is told.
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
                let left = wasmtime::Error::msg("the client left");
                return Err(StreamError::LastOperationFailed(left));
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
                self.end = Some(Instant::now() + GLANCE);
                Ok(Bytes::new())
            }
            read => read,
        }
    }
}
