//! A client that decides about every byte, and about how it leaves.

use std::{fmt, net::SocketAddr, time::Duration};

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use socket2::SockRef;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{Answer, Message, soon};

/// A way of leaving, with its name.
pub type Leaving = (&'static str, fn(Wire));

/// The two ways of leaving.
pub const LEAVINGS: [Leaving; 2] = [("FIN", drop), ("RST", Wire::reset)];

/// An HTTP/1.1 connection. Dropping it is the polite way to leave (FIN), unless there is
/// something left to read: then the system resets the connection.
pub struct Wire {
    stream: TcpStream,
    /// What was received and not yet taken.
    received: Vec<u8>,
    /// Nothing more will come.
    ended: bool,
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (length, ended) = (self.received.len(), self.ended);
        let last = String::from_utf8_lossy(&self.received[length.saturating_sub(500)..]);
        write!(f, "Wire {{ {length} bytes, ended: {ended}, the last of them: {last:?} }}")
    }
}

impl Wire {
    /// Connects.
    pub async fn connect(addr: SocketAddr) -> Self {
        let stream = soon("connect", TcpStream::connect(addr)).await.expect("the server accepts");
        stream.set_nodelay(true).expect("small writes leave at once");
        Self { stream, received: Vec::new(), ended: false }
    }

    /// Sends bytes. That the server does not want them any more is no failure of the client.
    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        drop(soon("send", self.stream.write_all(bytes.as_ref())).await);
    }

    /// Sends all of a message.
    pub async fn post(&mut self, message: &Message) {
        self.send(message.bytes()).await;
    }

    /// Says that nothing more will be sent; what comes is still read.
    pub async fn half_close(&mut self) {
        soon("half-close", self.stream.shutdown()).await.expect("the connection is there");
    }

    /// Leaves with a reset.
    pub fn reset(self) {
        let linger = SockRef::from(&self.stream).set_linger(Some(Duration::ZERO));
        linger.expect("a socket can be told not to linger");
    }

    /// Reads until this text has come, and takes everything up to its end.
    pub async fn until(&mut self, text: &str) -> String {
        loop {
            if let Some(at) = find(&self.received, text.as_bytes()) {
                let taken = self.received.drain(..at + text.len()).collect();
                return String::from_utf8(taken).expect("text");
            }
            assert!(
                self.receive().await,
                "{text:?} does not come, but the end; before it: {self:?}"
            );
        }
    }

    /// Reads one answer to its end, or to where it was cut.
    pub async fn answer(&mut self) -> Answer {
        let head = self.until("\r\n\r\n").await;
        let (status, headers) = parse_head(&head);
        let length = headers.get("content-length").map(|length| {
            length.to_str().ok().and_then(|text| text.parse().ok()).expect("a length")
        });
        let chunked = headers.get("transfer-encoding").is_some_and(|coding| coding == "chunked");
        let (body, complete) = match length {
            _ if matches!(status.as_u16(), 204 | 304) => (Vec::new(), true),
            Some(length) => self.take(length).await,
            None if chunked => self.chunks().await,
            None => (self.rest().await, true),
        };
        Answer { status, headers, body, complete }
    }

    /// Reads to the end of the connection.
    pub async fn rest(&mut self) -> Vec<u8> {
        while self.receive().await {}
        std::mem::take(&mut self.received)
    }

    /// This many bytes, or those that came, and whether they are all there.
    async fn take(&mut self, length: usize) -> (Vec<u8>, bool) {
        while self.received.len() < length && self.receive().await {}
        let complete = self.received.len() >= length;
        (self.received.drain(..length.min(self.received.len())).collect(), complete)
    }

    /// A chunked body, and whether its last chunk came.
    async fn chunks(&mut self) -> (Vec<u8>, bool) {
        let mut body = Vec::new();
        while let Some(line) = self.line().await {
            let length = line.split(';').next().unwrap_or_default();
            let length = usize::from_str_radix(length, 16).expect("a chunk's length");
            if length == 0 {
                return (body, self.trailers().await);
            }
            let (piece, complete) = self.take(length).await;
            body.extend_from_slice(&piece);
            if !complete || self.line().await.as_deref() != Some("") {
                break;
            }
        }
        (body, false)
    }

    /// Skips trailers, and says whether they come to their end.
    async fn trailers(&mut self) -> bool {
        loop {
            match self.line().await.as_deref() {
                Some("") => return true,
                Some(_) => {}
                None => return false,
            }
        }
    }

    async fn line(&mut self) -> Option<String> {
        while find(&self.received, b"\r\n").is_none() {
            if !self.receive().await {
                return None;
            }
        }
        let line = self.until("\r\n").await;
        Some(line.trim_end_matches("\r\n").to_owned())
    }

    /// Receives something more, unless the connection is at its end.
    async fn receive(&mut self) -> bool {
        if !self.ended {
            let read = soon("more bytes", self.stream.read_buf(&mut self.received)).await;
            self.ended = !read.is_ok_and(|bytes| bytes > 0);
        }
        !self.ended
    }
}

fn find(bytes: &[u8], text: &[u8]) -> Option<usize> {
    bytes.windows(text.len()).position(|window| window == text)
}

fn parse_head(head: &str) -> (StatusCode, HeaderMap) {
    let mut lines = head.trim_end().split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1));
    let status = status.and_then(|code| code.parse().ok()).expect("a status line");
    let header = |line: &str| {
        let (name, value) = line.split_once(':')?;
        Some((name.parse::<HeaderName>().ok()?, HeaderValue::from_str(value.trim()).ok()?))
    };
    let headers = lines.map(|line| header(line).unwrap_or_else(|| panic!("header: {line}")));
    (status, headers.collect())
}
