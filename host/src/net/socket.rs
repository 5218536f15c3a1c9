//! A socket that records the liveness of its client.

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

use crate::telemetry::liveness::Liveness;

/// How long bytes of a refused request are read and dropped. Closing at once would reset the
/// connection, and the client would lose the response that says why.
const LINGER: Duration = Duration::from_secs(1);

/// Up to this size head and body of a response are joined: one buffer is written faster than several.
const SMALL: usize = 2 << 10;

/// Whether the system reports readiness once, when it begins (epoll, kqueue).
const IS_EDGE_TRIGGERED: bool = cfg!(any(target_os = "linux", target_os = "macos"));

/// A socket that records what it sends and receives.
pub(super) struct TrackedSocket {
    socket: Arc<TcpStream>,
    liveness: Arc<Liveness>,
    /// HTTP/2 sends frames of its own between requests. They do not start the timeout of a head.
    preface: Preface,
    /// Head and body of a small response. Filled anew for each write: hyper offers the rest of a
    /// partial write again.
    joined: Vec<u8>,
    linger: Option<Pin<Box<Sleep>>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Preface {
    Awaited,
    Http1,
    Http2,
}

impl TrackedSocket {
    pub(super) fn new(socket: Arc<TcpStream>, liveness: Arc<Liveness>) -> Self {
        Self { socket, liveness, preface: Preface::Awaited, joined: Vec::new(), linger: None }
    }

    fn received(&mut self, bytes: &[u8]) {
        if self.preface == Preface::Awaited {
            let is_http2 = bytes.starts_with(b"PRI");
            self.preface = if is_http2 { Preface::Http2 } else { Preface::Http1 };
            self.liveness.begin(is_http2);
        }
        if self.preface == Preface::Http1 {
            self.liveness.bytes_received();
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

    /// Reads what has arrived.
    ///
    /// Where readiness is edge-triggered, a read that leaves room in the buffer has read everything,
    /// and tells tokio so. Otherwise each request would cost a second read that finds nothing.
    fn receive(&self, buffer: &mut ReadBuf<'_>) -> io::Result<()> {
        let mut received = 0;
        let result = self.socket.try_io(Interest::READABLE, || {
            received = self.socket.try_read_buf(buffer)?;
            let took_all = IS_EDGE_TRIGGERED && received > 0 && buffer.remaining() > 0;
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
                self.liveness.write_polled(true);
                return Poll::Pending;
            };
            ready?;
            match send(&self.socket) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                sent => {
                    self.liveness.write_polled(false);
                    self.liveness.bytes_sent(*sent.as_ref().unwrap_or(&0));
                    return Poll::Ready(sent);
                }
            }
        }
    }
}

impl AsyncRead for TrackedSocket {
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

impl AsyncWrite for TrackedSocket {
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
        if self.liveness.lingers() {
            ready!(self.poll_linger(cx));
        }
        Poll::Ready(Ok(()))
    }
}
