//! Raw client of HTTP/1.1 that controls every byte and the close of its connection.

use std::{fmt, io, time::Duration};

use http::StatusCode;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{sleep, timeout},
};

use crate::client::{check_error::CheckError, disconnect::Disconnect, endpoint::Endpoint};

/// Time for a server on this machine to process what it received.
const SETTLE_TIME: Duration = Duration::from_millis(50);
/// Limit for sending to a server that does not read.
const SEND_LIMIT: Duration = Duration::from_secs(3);
/// Bytes that are read at most in search of the end of a head.
const MAX_HEAD: usize = 16 << 10;
/// Receive buffer of a client that soon makes the server wait.
const NARROW_BUFFER: u32 = 4096;

/// Waits until the server has most likely processed what was sent.
pub(crate) async fn settle() {
    sleep(SETTLE_TIME).await;
}

/// First bytes that a server sends on a connection, or how it closes it instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reply {
    /// Status line of a response.
    Status(StatusCode),
    /// FIN without a byte.
    Closed,
    /// RST without a byte.
    Reset,
    /// Nothing within this time.
    Silence(Duration),
    /// Bytes that are not HTTP/1.1.
    NotHttp,
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => write!(f, "{}", status.as_u16()),
            Self::Closed => f.write_str("closed"),
            Self::Reset => f.write_str("reset"),
            Self::Silence(time) => write!(f, "nothing in {} s", time.as_secs_f32()),
            Self::NotHttp => f.write_str("not HTTP"),
        }
    }
}

/// Raw HTTP/1.1 connection.
#[derive(Debug)]
pub(crate) struct Wire {
    stream: TcpStream,
    received: Vec<u8>,
}

impl Wire {
    pub(crate) async fn connect(endpoint: &Endpoint) -> Result<Self, CheckError> {
        Self::connect_with(endpoint, None).await
    }

    /// Connects with a small receive buffer, so that the server soon has to wait.
    pub(crate) async fn connect_narrow(endpoint: &Endpoint) -> Result<Self, CheckError> {
        Self::connect_with(endpoint, Some(NARROW_BUFFER)).await
    }

    async fn connect_with(endpoint: &Endpoint, buffer: Option<u32>) -> Result<Self, CheckError> {
        let stream = endpoint.connect_with(buffer).await.map_err(CheckError::Connect)?;
        Ok(Self { stream, received: Vec::new() })
    }

    /// Sends bytes. A server that does not read them is not a failure.
    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        let _ = timeout(SEND_LIMIT, self.stream.write_all(bytes)).await;
    }

    /// Sends a FIN. The client still reads.
    pub(crate) async fn half_close(&mut self) {
        // Fails only when the server has closed the connection.
        let _ = self.stream.shutdown().await;
    }

    /// Closes the connection.
    pub(crate) async fn disconnect(mut self, how: Disconnect) {
        match how {
            // Closing a socket with unread data sends an RST, so the FIN goes first.
            Disconnect::Fin => self.half_close().await,
            Disconnect::Reset => how.prepare(&self.stream),
        }
    }

    /// Waits for the reply of the server.
    pub(crate) async fn reply(&mut self, limit: Duration) -> Reply {
        let read = timeout(limit, async {
            while !self.has_status_line() && self.received.len() < MAX_HEAD {
                match self.stream.read_buf(&mut self.received).await {
                    Ok(0) => return Some(Reply::Closed),
                    Ok(_) => {}
                    Err(error) if is_reset(&error) => return Some(Reply::Reset),
                    Err(_) => return Some(Reply::Closed),
                }
            }
            None
        });
        match read.await {
            Ok(Some(closed)) if self.received.is_empty() => closed,
            Ok(_) => self.status().map_or(Reply::NotHttp, Reply::Status),
            Err(_) => Reply::Silence(limit),
        }
    }

    /// Reads the head of the response and no byte of its body.
    pub(crate) async fn read_head(&mut self, limit: Duration) -> Reply {
        let read = timeout(limit, async {
            while !self.received.ends_with(b"\r\n\r\n") && self.received.len() < MAX_HEAD {
                match self.stream.read_u8().await {
                    Ok(byte) => self.received.push(byte),
                    Err(_) => return Reply::Closed,
                }
            }
            self.status().map_or(Reply::NotHttp, Reply::Status)
        });
        read.await.unwrap_or(Reply::Silence(limit))
    }

    /// Reads until the server closes the connection. Returns false when the limit passes first.
    pub(crate) async fn read_to_end(&mut self, limit: Duration) -> bool {
        let mut scratch = [0; 4096];
        let end =
            async { while self.stream.read(&mut scratch).await.is_ok_and(|read| read > 0) {} };
        timeout(limit, end).await.is_ok()
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
