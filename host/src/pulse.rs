//! Whether a connection is alive: the clients that are too slow are found here.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::{Instant, Sleep, sleep},
};

use crate::{Config, contract::Outcome};

/// How long, and how much, is read from a client that is still sending what is not wanted: closing
/// at once would reset the connection, and the client would lose the answer that tells it why.
const LINGER: Duration = Duration::from_secs(1);

/// Why the host closed a connection with an exchange on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Closed {
    /// The client took none of its answer for too long.
    ClientStuck,
    /// The host is shutting down, and the time to drain is over.
    Shutdown,
}

impl Closed {
    pub(crate) fn outcome(self) -> Outcome {
        match self {
            Self::ClientStuck => Outcome::ClientGone,
            Self::Shutdown => Outcome::TimedOut,
        }
    }

    pub(crate) fn cause(self) -> &'static str {
        match self {
            Self::ClientStuck => "the client stopped reading",
            Self::Shutdown => "cut by the shutdown of the host",
        }
    }
}

/// What is to be done about a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Look again then.
    Look(Instant),
    /// It has been idle for long enough.
    CloseIdle,
    /// The client does not send its request, or does not take its answer.
    Cut,
}

/// Times on a connection, in milliseconds since its beginning; zero is never.
pub(crate) struct Pulse {
    begin: Instant,
    exchanges: AtomicUsize,
    /// A head has begun to arrive, and no exchange has come of it yet.
    head_since: AtomicU64,
    idle_since: AtomicU64,
    /// The client takes nothing of what is to be sent.
    stuck_since: AtomicU64,
    lingers: AtomicBool,
    closed: OnceLock<Closed>,
}

impl Pulse {
    /// A new connection owes a request head.
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            begin: Instant::now(),
            exchanges: AtomicUsize::new(0),
            head_since: AtomicU64::new(1),
            idle_since: AtomicU64::new(0),
            stuck_since: AtomicU64::new(0),
            lingers: AtomicBool::new(false),
            closed: OnceLock::new(),
        })
    }

    fn now(&self) -> u64 {
        u64::try_from(self.begin.elapsed().as_millis())
            .unwrap_or(u64::MAX)
            .max(1)
    }

    pub(crate) fn exchange_begins(&self) {
        self.exchanges.fetch_add(1, Ordering::Relaxed);
        self.head_since.store(0, Ordering::Relaxed);
    }

    pub(crate) fn exchange_ends(&self) {
        self.idle_since.store(self.now(), Ordering::Relaxed);
        self.exchanges.fetch_sub(1, Ordering::Relaxed);
    }

    /// The rest of what the client sends is to be read and dropped before the end.
    pub(crate) fn linger(&self) {
        self.lingers.store(true, Ordering::Relaxed);
    }

    /// Says why the connection is about to be closed.
    pub(crate) fn close(&self, why: Closed) {
        // The first reason is the true one.
        let _ = self.closed.set(why);
    }

    pub(crate) fn closed(&self) -> Option<Closed> {
        self.closed.get().copied()
    }

    fn received(&self) {
        if self.exchanges.load(Ordering::Relaxed) == 0 {
            let now = self.now();
            // Only the first byte of a head starts its clock.
            let _ = self
                .head_since
                .compare_exchange(0, now, Ordering::Relaxed, Ordering::Relaxed);
        }
    }

    fn wrote(&self, stuck: bool) {
        match (stuck, self.stuck_since.load(Ordering::Relaxed)) {
            (true, 0) => self.stuck_since.store(self.now(), Ordering::Relaxed),
            (true, _) | (false, 0) => {}
            (false, _) => self.stuck_since.store(0, Ordering::Relaxed),
        }
    }

    /// What the limits of `config` ask for at this moment.
    pub(crate) fn next(&self, config: &Config) -> Next {
        let stuck = self.stuck_since.load(Ordering::Relaxed);
        let head = self.head_since.load(Ordering::Relaxed);
        let (since, limit, then) = if stuck > 0 {
            (stuck, config.write_timeout, Next::Cut)
        } else if self.exchanges.load(Ordering::Relaxed) > 0 {
            // The exchange has a limit of its own; come back for what follows it.
            let pause = config.write_timeout.min(config.keep_alive);
            return Next::Look(Instant::now() + pause.max(Duration::from_millis(10)));
        } else if head > 0 {
            (head, config.head_timeout, Next::Cut)
        } else {
            (
                self.idle_since.load(Ordering::Relaxed),
                config.keep_alive,
                Next::CloseIdle,
            )
        };
        let due = self.begin + Duration::from_millis(since) + limit;
        if due > Instant::now() {
            Next::Look(due)
        } else {
            then
        }
    }
}

/// A socket that feeds the pulse of its connection.
pub(crate) struct Tracked {
    socket: TcpStream,
    pulse: Arc<Pulse>,
    /// HTTP/2 has frames of its own between requests, which are no late heads.
    preface: Preface,
    linger: Option<Pin<Box<Sleep>>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Preface {
    Awaited,
    Http1,
    Http2,
}

impl Tracked {
    pub(crate) fn new(socket: TcpStream, pulse: Arc<Pulse>) -> Self {
        Self {
            socket,
            pulse,
            preface: Preface::Awaited,
            linger: None,
        }
    }

    fn received(&mut self, bytes: &[u8]) {
        if self.preface == Preface::Awaited {
            let is_http2 = bytes.starts_with(b"PRI");
            self.preface = if is_http2 {
                Preface::Http2
            } else {
                Preface::Http1
            };
        }
        if self.preface == Preface::Http1 {
            self.pulse.received();
        }
    }

    fn poll_linger(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let timer = self.linger.get_or_insert_with(|| Box::pin(sleep(LINGER)));
        if timer.as_mut().poll(cx).is_ready() {
            return Poll::Ready(());
        }
        let mut scratch = [0; 4096];
        loop {
            let mut buffer = ReadBuf::new(&mut scratch);
            match ready!(Pin::new(&mut self.socket).poll_read(cx, &mut buffer)) {
                Ok(()) if !buffer.filled().is_empty() => {}
                Ok(()) | Err(_) => return Poll::Ready(()),
            }
        }
    }
}

impl AsyncRead for Tracked {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.socket).poll_read(cx, buffer))?;
        if buffer.filled().len() > before {
            self.received(&buffer.filled()[before..]);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Tracked {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.socket).poll_write(cx, bytes);
        self.pulse.wrote(written.is_pending());
        written
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.socket).poll_write_vectored(cx, slices);
        self.pulse.wrote(written.is_pending());
        written
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.linger.is_none() {
            ready!(Pin::new(&mut self.socket).poll_shutdown(cx))?;
        }
        if self.pulse.lingers.load(Ordering::Relaxed) {
            ready!(self.poll_linger(cx));
        }
        Poll::Ready(Ok(()))
    }
}
