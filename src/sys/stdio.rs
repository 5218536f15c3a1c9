//! `wasi:cli/run` 0.2: one call of `run` is one connection, on standard input and output.

#[cfg(feature = "p3")]
use std::cell::Cell;
use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use wasip2::cli::{stdin, stdout};
use wasip2::io::poll::Pollable;
use wasip2::io::streams::{InputStream, OutputStream, StreamError};
use wstd::runtime::{AsyncPollable, WaitFor};

use crate::error::ProtocolError;
use crate::handler::context::Clock;
use crate::handler::disconnect::Flow;
use crate::handler::outbox::Outbox;
use crate::handler::panic_attribution::PanicAttribution;
use crate::protocol::jsonrpc;
use crate::rpc::response::Response;
use crate::server::Server;
use crate::sys::log::log;
use crate::sys::p2::io::{READ_SIZE, block_on, gone, sleep};
use crate::sys::panic::{self, PanicResponder};
use crate::transport::stdio::{Streams, serve};

/// Serves one client. Called by `export!`. However the client leaves, that is no failure.
#[allow(clippy::result_unit_err, reason = "as WASI has it")]
pub fn run(build: fn() -> Server) -> Result<(), ()> {
    let output = Rc::new(RefCell::new(Output::new(stdout::get_stdout())));
    panic::respond_with(Rc::<RefCell<Output>>::clone(&output));
    let input = stdin::get_stdin();
    #[cfg(feature = "p3")]
    RUNNING.set(true);
    block_on(async move {
        let (attribution, outbox) = {
            let output = output.borrow();
            (output.attribution.clone(), output.outbox.clone())
        };
        let (reading, writing) = (RefCell::default(), RefCell::default());
        let console = Console { reading, writing, input, output, attribution, outbox };
        serve(Rc::new(build), console).await;
    });
    #[cfg(feature = "p3")]
    RUNNING.set(false);
    Ok(())
}

#[cfg(feature = "p3")]
thread_local! {
    static RUNNING: Cell<bool> = const { Cell::new(false) };
}

/// Whether the instance is in a call of `run`.
#[cfg(feature = "p3")]
pub(super) fn is_running() -> bool {
    RUNNING.get()
}

/// The standard streams. What waits for a stream is its child, and goes first.
struct Console {
    reading: RefCell<Option<WaitFor>>,
    writing: RefCell<Option<WaitFor>>,
    input: InputStream,
    output: Rc<RefCell<Output>>,
    /// Those of the output.
    attribution: PanicAttribution,
    outbox: Outbox,
}

impl Streams for Console {
    fn poll_read(&self, cx: &mut Context<'_>) -> Poll<Flow<Option<Vec<u8>>>> {
        loop {
            return Poll::Ready(match self.input.read(READ_SIZE) {
                Ok(piece) if piece.is_empty() => {
                    ready!(poll_ready(&self.reading, &|| self.input.subscribe(), cx));
                    continue;
                }
                Ok(piece) => Flow::Continue(Some(piece)),
                Err(StreamError::Closed) => Flow::Continue(None),
                Err(error) => Flow::Break(gone(error)),
            });
        }
    }

    fn begin_line(&self, line: &str) {
        self.output.borrow_mut().begin_line(line);
    }

    fn poll_write(&self, cx: &mut Context<'_>) -> Poll<Flow> {
        loop {
            match self.output.borrow_mut().advance() {
                Flow::Continue(false) => {}
                Flow::Continue(true) => return Poll::Ready(Flow::Continue(())),
                Flow::Break(gone) => return Poll::Ready(Flow::Break(gone)),
            }
            let subscribe = || self.output.borrow().stream.subscribe();
            ready!(poll_ready(&self.writing, &subscribe, cx));
        }
    }

    fn outbox(&self) -> &Outbox {
        &self.outbox
    }

    fn clock(&self) -> Clock {
        Rc::new(|time| Box::pin(sleep(time)))
    }

    fn panic_attribution(&self) -> &PanicAttribution {
        &self.attribution
    }

    fn log(&self, line: &str) {
        log(line);
    }
}

/// Waits for a stream; what waits is kept from one poll to the next.
fn poll_ready(
    waiting: &RefCell<Option<WaitFor>>,
    subscribe: &dyn Fn() -> Pollable,
    cx: &mut Context<'_>,
) -> Poll<()> {
    let mut waiting = waiting.borrow_mut();
    let wait = waiting.get_or_insert_with(|| AsyncPollable::new(subscribe()).wait_for());
    ready!(Pin::new(wait).poll(cx));
    *waiting = None;
    Poll::Ready(())
}

/// Standard output, and what is still to be written to it. Shared with the panic hook, which must
/// not begin in the middle of a line.
struct Output {
    stream: OutputStream,
    pending: Vec<u8>,
    flushing: bool,
    /// Nothing is written any more, not even last words.
    is_broken: bool,
    attribution: PanicAttribution,
    /// Lines that come after what is pending.
    outbox: Outbox,
}

impl Output {
    fn new(stream: OutputStream) -> Self {
        Self {
            stream,
            pending: Vec::new(),
            flushing: false,
            is_broken: false,
            attribution: PanicAttribution::default(),
            outbox: Outbox::default(),
        }
    }

    fn begin_line(&mut self, line: &str) {
        self.pending.extend_from_slice(line.as_bytes());
        self.pending.push(b'\n');
    }

    /// Writes what the host takes now. Says whether all of it is out: written, and flushed.
    fn advance(&mut self) -> Flow<bool> {
        match self.try_advance() {
            Ok(done) => Flow::Continue(done),
            Err(error) => {
                self.pending.clear();
                self.is_broken = true;
                Flow::Break(gone(error))
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

impl PanicResponder for Output {
    fn respond(&mut self) {
        if self.is_broken {
            return;
        }
        // What is finished comes first: nothing is written after the trap.
        while let Some(line) = self.outbox.take() {
            self.begin_line(&jsonrpc::on_one_line(&line));
        }
        if let Some(attributed) = self.attribution.take() {
            let response = Response::error(Some(&attributed), ProtocolError::Internal);
            self.begin_line(&response.json);
        }
        // More than 4096 bytes at a time would trap.
        for piece in self.pending.chunks(4096) {
            if self.stream.blocking_write_and_flush(piece).is_err() {
                return;
            }
        }
    }
}
