//! Where the server is.

use std::{io, net::SocketAddr, time::Duration};

use http::{HeaderValue, Uri, header::HOST, request, uri::Scheme};
use tokio::{
    net::{TcpSocket, TcpStream, lookup_host},
    time::timeout,
};

use super::{ProbeError, message::Message};

/// An endpoint that has accepted a connection.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) addr: SocketAddr,
    pub(super) uri: Uri,
    /// How long a connection may take to be accepted.
    patience: Duration,
}

impl Target {
    /// Finds the server of `url`: the first of its addresses that accepts a connection.
    pub(super) async fn find(
        url: &str,
        is_ours: bool,
        patience: Duration,
    ) -> Result<Self, ProbeError> {
        let unreadable = || ProbeError::Url { url: url.to_owned() };
        let uri: Uri = url.parse().map_err(|_| unreadable())?;
        let host = match (uri.scheme(), uri.host()) {
            (Some(scheme), Some(host)) if *scheme == Scheme::HTTP => host.to_owned(),
            _ => return Err(unreadable()),
        };
        let port = uri.port_u16().unwrap_or(80);
        let found = lookup_host((host.trim_matches(['[', ']']), port)).await;
        let addresses: Vec<_> =
            found.map_err(|source| ProbeError::Resolve { host: host.clone(), source })?.collect();
        if let Some(&addr) = addresses.iter().find(|addr| !is_ours && !addr.ip().is_loopback()) {
            return Err(ProbeError::NotLoopback { addr });
        }
        let mut last = ProbeError::Resolve { host, source: io::ErrorKind::NotFound.into() };
        for addr in addresses {
            let target = Self { addr, uri: uri.clone(), patience };
            match target.connect().await {
                Ok(_) => return Ok(target),
                Err(source) => last = ProbeError::Unreachable { addr, source },
            }
        }
        Err(last)
    }

    pub(super) async fn connect(&self) -> io::Result<TcpStream> {
        self.connect_with(None).await
    }

    /// Connects with room for this many received bytes; the system makes it a little more.
    pub(super) async fn connect_with(&self, room: Option<u32>) -> io::Result<TcpStream> {
        let socket = if self.addr.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        if let Some(room) = room {
            // Before connecting: later the window cannot shrink any more.
            socket.set_recv_buffer_size(room)?;
        }
        let connected = timeout(self.patience, socket.connect(self.addr)).await;
        let stream = connected.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    fn authority(&self) -> &str {
        self.uri.authority().map_or("", |authority| authority.as_str())
    }

    fn path(&self) -> &str {
        self.uri.path_and_query().map_or("/", |path| path.as_str())
    }

    /// The head of `message` in HTTP/1.1, with the line that says how its body is framed.
    pub(super) fn head(&self, message: &Message, framing: &str) -> Vec<u8> {
        let (path, authority) = (self.path(), self.authority());
        let mut head = format!("POST {path} HTTP/1.1\r\nhost: {authority}\r\n").into_bytes();
        for (name, value) in &message.headers {
            head.extend_from_slice(name.as_str().as_bytes());
            head.extend_from_slice(b": ");
            head.extend_from_slice(value.as_bytes());
            head.extend_from_slice(b"\r\n");
        }
        head.extend_from_slice(framing.as_bytes());
        head.extend_from_slice(b"\r\n\r\n");
        head
    }

    /// All of `message` in HTTP/1.1.
    pub(super) fn request(&self, message: &Message) -> Vec<u8> {
        let mut bytes = self.head(message, &format!("content-length: {}", message.body.len()));
        bytes.extend_from_slice(&message.body);
        bytes
    }

    /// The head of `message` for a client library, in HTTP/1.1.
    pub(super) fn parts(&self, message: &Message) -> Option<request::Parts> {
        let host = HeaderValue::from_str(self.authority()).ok()?;
        let path: Uri = self.path().parse().ok()?;
        let mut parts = self.absolute_parts(message, path)?;
        parts.headers.insert(HOST, host);
        Some(parts)
    }

    /// The head of `message` for a client library, in HTTP/2.
    pub(super) fn parts_http2(&self, message: &Message) -> Option<request::Parts> {
        self.absolute_parts(message, self.uri.clone())
    }

    fn absolute_parts(&self, message: &Message, uri: Uri) -> Option<request::Parts> {
        let request = http::Request::post(uri).body(()).ok()?;
        let (mut parts, ()) = request.into_parts();
        parts.headers = message.headers.clone();
        Some(parts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn find(url: &str) -> Result<Target, ProbeError> {
        Target::find(url, false, Duration::from_secs(1)).await
    }

    #[tokio::test]
    async fn only_plain_http_is_read() {
        for url in ["", "x", "127.0.0.1:80", "https://127.0.0.1/mcp", "http://", "/mcp"] {
            assert!(matches!(find(url).await, Err(ProbeError::Url { .. })), "{url}");
        }
    }

    #[tokio::test]
    async fn other_machines_are_refused_before_a_connection() {
        for url in ["http://192.0.2.1/mcp", "http://[2001:db8::1]:8080/mcp"] {
            assert!(matches!(find(url).await, Err(ProbeError::NotLoopback { .. })), "{url}");
        }
    }

    #[tokio::test]
    async fn nobody_there_is_said() {
        // Port 1 of the loopback is nobody's.
        assert!(matches!(
            find("http://127.0.0.1:1/mcp").await,
            Err(ProbeError::Unreachable { .. })
        ));
    }
}
