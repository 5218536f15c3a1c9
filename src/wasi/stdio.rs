//! `wasi:cli/run` 0.2: one call of `run` is one connection, on standard input and output.

use std::cell::RefCell;
use std::rc::Rc;

use wasip2::cli::{stdin, stdout};
use wasip2::io::streams::{InputStream, OutputStream, StreamError};

use super::log::log;
use super::p2_io::{READ_SIZE, gone, sleep, wait_for};
use super::panic::{self, LastWords};
use crate::client_gone::Io;
use crate::context::Clock;
use crate::error::ProtocolError;
use crate::protocol::jsonrpc::RequestId;
use crate::response::Response;
use crate::server::Server;
use crate::stdio::{Streams, serve};

/// Serves one client. Called by `export!`. However the client leaves, that is no failure.
#[allow(clippy::result_unit_err, reason = "as WASI has it")]
pub fn run(build: fn() -> Server) -> Result<(), ()> {
    let output = Rc::new(RefCell::new(Output::new(stdout::get_stdout())));
    panic::answer_with(Rc::<RefCell<Output>>::clone(&output));
    let console = Console { input: stdin::get_stdin(), output };
    wstd::runtime::block_on(async move { serve(&build, &console).await });
    Ok(())
}

/// The standard streams.
struct Console {
    input: InputStream,
    output: Rc<RefCell<Output>>,
}

impl Streams for Console {
    async fn read(&self) -> Io<Option<Vec<u8>>> {
        loop {
            match self.input.read(READ_SIZE) {
                Ok(piece) if piece.is_empty() => wait_for(self.input.subscribe()).await,
                Ok(piece) => return Io::Continue(Some(piece)),
                Err(StreamError::Closed) => return Io::Continue(None),
                Err(error) => return Io::Break(gone(error)),
            }
        }
    }

    async fn write(&self, line: &[u8]) -> Io {
        self.output.borrow_mut().pending.extend_from_slice(line);
        while !self.output.borrow_mut().advance()? {
            let ready = self.output.borrow().stream.subscribe();
            wait_for(ready).await;
        }
        Io::Continue(())
    }

    fn clock(&self) -> Clock {
        Rc::new(|time| Box::pin(sleep(time)))
    }

    fn blame(&self, request: Option<&RequestId>) {
        self.output.borrow_mut().blamed = request.cloned();
    }

    fn log(&self, line: &str) {
        log(line);
    }
}

/// Standard output, and what is still to be written to it. Shared with the panic hook, which must
/// not begin in the middle of a line.
struct Output {
    stream: OutputStream,
    pending: Vec<u8>,
    flushing: bool,
    /// The request whose handler is running.
    blamed: Option<RequestId>,
}

impl Output {
    fn new(stream: OutputStream) -> Self {
        Self { stream, pending: Vec::new(), flushing: false, blamed: None }
    }

    /// Writes what the host takes now. Says whether all of it is out: written, and flushed.
    fn advance(&mut self) -> Io<bool> {
        match self.try_advance() {
            Ok(done) => Io::Continue(done),
            Err(error) => {
                self.pending.clear();
                Io::Break(gone(error))
            }
        }
    }

    fn try_advance(&mut self) -> Result<bool, StreamError> {
        let allowed = usize::try_from(self.stream.check_write()?).unwrap_or(usize::MAX);
        if allowed == 0 {
            return Ok(false);
        }
        if self.pending.is_empty() {
            // It takes more again, so what was flushed is out.
            return Ok(std::mem::take(&mut self.flushing));
        }
        let now = allowed.min(self.pending.len());
        self.stream.write(&self.pending[..now])?;
        self.pending.drain(..now);
        if self.pending.is_empty() {
            self.stream.flush()?;
            self.flushing = true;
        }
        Ok(false)
    }
}

impl LastWords for Output {
    fn say(&mut self) {
        let Some(blamed) = &self.blamed else { return };
        let response = Response::error(Some(blamed), ProtocolError::Internal);
        self.pending.extend_from_slice(response.json.as_bytes());
        self.pending.push(b'\n');
        // More than 4096 bytes at a time would trap.
        for piece in self.pending.chunks(4096) {
            if self.stream.blocking_write_and_flush(piece).is_err() {
                return;
            }
        }
    }
}
