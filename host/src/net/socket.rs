//! A socket that tells how its client is doing.

use std::{
    io,
    net::Shutdown,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use socket2::SockRef;
use tokio::{
    io::{AsyncRead, AsyncWrite, Interest, ReadBuf},
    net::TcpStream,
    time::{Sleep, sleep},
};

use crate::telemetry::liveness::Pulse;

/// How long what a client still sends is read and dropped: closing at once would reset the
/// connection, and the client would lose the answer that tells it why.
const LINGER: Duration = Duration::from_secs(1);

/// Up to this size head and body of an answer are joined: the system takes one piece faster than
/// several.
const SMALL: usize = 2 << 10;

/// Whether tokio learns of a socket's readiness once, when it begins (epoll, kqueue).
const TELLS_NEWS_ONLY: bool = cfg!(any(target_os = "linux", target_os = "macos"));

/// A socket that feeds the pulse of its connection.
pub(crate) struct Tracked {
    socket: Arc<TcpStream>,
    pulse: Arc<Pulse>,
    /// HTTP/2 has frames of its own between requests, which are no late heads.
    preface: Preface,
    /// Head and body of a small answer, filled anew for each write: what is left of a partial write
    /// is offered again.
    joined: Vec<u8>,
    linger: Option<Pin<Box<Sleep>>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Preface {
    Awaited,
    Http1,
    Http2,
}

impl Tracked {
    pub(crate) fn new(socket: Arc<TcpStream>, pulse: Arc<Pulse>) -> Self {
        Self { socket, pulse, preface: Preface::Awaited, joined: Vec::new(), linger: None }
    }

    fn received(&mut self, bytes: &[u8]) {
        if self.preface == Preface::Awaited {
            let is_http2 = bytes.starts_with(b"PRI");
            self.preface = if is_http2 { Preface::Http2 } else { Preface::Http1 };
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
            match ready!(self.poll_receive(cx, &mut buffer)) {
                Ok(()) if !buffer.filled().is_empty() => {}
                Ok(()) | Err(_) => return Poll::Ready(()),
            }
        }
    }

    fn poll_receive(&self, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        loop {
            ready!(self.socket.poll_read_ready(cx))?;
            match self.receive(buffer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                received => return Poll::Ready(received),
            }
        }
    }

    /// Takes what has arrived.
    ///
    /// Where the system tells of news only, a read that leaves room has taken everything, and says
    /// so to tokio: else each request costs a second read that finds nothing.
    fn receive(&self, buffer: &mut ReadBuf<'_>) -> io::Result<()> {
        let mut received = 0;
        let result = self.socket.try_io(Interest::READABLE, || {
            received = self.socket.try_read_buf(buffer)?;
            let took_all = TELLS_NEWS_ONLY && received > 0 && buffer.remaining() > 0;
            if took_all { Err(io::ErrorKind::WouldBlock.into()) } else { Ok(()) }
        });
        if received > 0 { Ok(()) } else { result }
    }

    fn poll_send(
        &self,
        cx: &mut Context<'_>,
        send: impl Fn(&TcpStream) -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        loop {
            let Poll::Ready(ready) = self.socket.poll_write_ready(cx) else {
                self.pulse.wrote(true);
                return Poll::Pending;
            };
            ready?;
            match send(&self.socket) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                sent => {
                    self.pulse.wrote(false);
                    self.pulse.carried(*sent.as_ref().unwrap_or(&0));
                    return Poll::Ready(sent);
                }
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
        ready!(self.poll_receive(cx, buffer))?;
        if buffer.filled().len() > before {
            self.received(&buffer.filled()[before..]);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Tracked {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_send(cx, |socket| socket.try_write(bytes))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if slices.iter().map(|slice| slice.len()).sum::<usize>() > SMALL {
            return self.poll_send(cx, |socket| socket.try_write_vectored(slices));
        }
        self.joined.clear();
        slices.iter().for_each(|slice| self.joined.extend_from_slice(slice));
        self.poll_send(cx, |socket| socket.try_write(&self.joined))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        // A socket has no buffer of its own.
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.linger.is_none() {
            SockRef::from(&*self.socket).shutdown(Shutdown::Write)?;
        }
        if self.pulse.lingers() {
            ready!(self.poll_linger(cx));
        }
        Poll::Ready(Ok(()))
    }
}
