//! A client that decides about every byte, and about how it leaves.

use std::{fmt, io, time::Duration};

use http::StatusCode;
use serde::{Serialize, Serializer};
use socket2::SockRef;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{sleep, timeout},
};

use super::{ground::Ground, wrong::Wrong};

/// Long enough for a server on this machine to be where the case wants it.
const MOMENT: Duration = Duration::from_millis(50);
/// How long sending may take; a server that does not read is left alone then.
const SENDING: Duration = Duration::from_secs(3);
/// The longest head of an answer that is looked at.
const LONGEST_HEAD: usize = 16 << 10;

/// Lets the server come to where the case wants it.
pub(super) async fn moment() {
    sleep(MOMENT).await;
}

/// How a client leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Leave {
    /// Politely: nothing more will be sent.
    Fin,
    /// With a reset: nothing is known of the connection any more.
    Reset,
}

impl Leave {
    /// Has the socket close in this way, whoever closes it.
    pub(super) fn prepare(self, stream: &TcpStream) {
        if self == Self::Reset {
            // It can fail only on a socket that is gone already.
            let _ = SockRef::from(stream).set_linger(Some(Duration::ZERO));
        }
    }
}

/// What an aborted request was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answered {
    Status(StatusCode),
    /// The server closed the connection without a word.
    Closed,
    /// The server reset the connection.
    Reset,
    /// Nothing came within this time.
    Nothing(Duration),
    /// Something that is no HTTP came.
    Noise,
}

impl fmt::Display for Answered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => write!(f, "{}", status.as_u16()),
            Self::Closed => f.write_str("closed"),
            Self::Reset => f.write_str("reset"),
            Self::Nothing(time) => write!(f, "nothing in {} s", time.as_secs_f32()),
            Self::Noise => f.write_str("not HTTP"),
        }
    }
}

impl Serialize for Answered {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// An HTTP/1.1 connection, raw.
#[derive(Debug)]
pub(super) struct Wire {
    stream: TcpStream,
    received: Vec<u8>,
}

impl Wire {
    pub(super) async fn connect(ground: &Ground) -> Result<Self, Wrong> {
        Self::connect_with(ground, None).await
    }

    /// Connects with little room for what the server says, so that it soon has to wait.
    pub(super) async fn connect_narrow(ground: &Ground) -> Result<Self, Wrong> {
        Self::connect_with(ground, Some(4096)).await
    }

    async fn connect_with(ground: &Ground, room: Option<u32>) -> Result<Self, Wrong> {
        let stream = ground.target.connect_with(room).await.map_err(Wrong::Connect)?;
        Ok(Self { stream, received: Vec::new() })
    }

    /// Sends bytes. That the server does not want them any more is no failure of the client.
    pub(super) async fn send(&mut self, bytes: &[u8]) {
        let _ = timeout(SENDING, self.stream.write_all(bytes)).await;
    }

    /// Says that nothing more will be sent; what comes is still read.
    pub(super) async fn half_close(&mut self) {
        // A server that has closed the connection does not care.
        let _ = self.stream.shutdown().await;
    }

    /// Leaves. What was received and not read turns a polite end into a reset only after it.
    pub(super) async fn leave(mut self, how: Leave) {
        match how {
            Leave::Fin => self.half_close().await,
            Leave::Reset => how.prepare(&self.stream),
        }
    }

    /// What the server says to begin with.
    pub(super) async fn answered(&mut self, within: Duration) -> Answered {
        let head = timeout(within, async {
            while !self.has_status_line() && self.received.len() < LONGEST_HEAD {
                match self.stream.read_buf(&mut self.received).await {
                    Ok(0) => return Some(Answered::Closed),
                    Ok(_) => {}
                    Err(error) if is_reset(&error) => return Some(Answered::Reset),
                    Err(_) => return Some(Answered::Closed),
                }
            }
            None
        });
        match head.await {
            Ok(Some(ended)) if self.received.is_empty() => ended,
            Ok(_) => self.status().map_or(Answered::Noise, Answered::Status),
            Err(_) => Answered::Nothing(within),
        }
    }

    /// Reads the head of the answer and not one byte of its body.
    pub(super) async fn head(&mut self, within: Duration) -> Answered {
        let head = timeout(within, async {
            while !self.received.ends_with(b"\r\n\r\n") && self.received.len() < LONGEST_HEAD {
                match self.stream.read_u8().await {
                    Ok(byte) => self.received.push(byte),
                    Err(_) => return Answered::Closed,
                }
            }
            self.status().map_or(Answered::Noise, Answered::Status)
        });
        head.await.unwrap_or(Answered::Nothing(within))
    }

    /// Reads on until the server closes the connection, and says whether it did.
    pub(super) async fn ends(&mut self, within: Duration) -> bool {
        let mut scratch = [0; 4096];
        let end =
            async { while self.stream.read(&mut scratch).await.is_ok_and(|read| read > 0) {} };
        timeout(within, end).await.is_ok()
    }

    fn has_status_line(&self) -> bool {
        self.received.windows(2).any(|pair| pair == b"\r\n")
    }

    fn status(&self) -> Option<StatusCode> {
        let rest = self.received.strip_prefix(b"HTTP/1.")?;
        StatusCode::from_bytes(rest.get(2..5)?).ok()
    }
}

fn is_reset(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::ConnectionReset
}
