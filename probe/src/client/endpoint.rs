//! Address of the server, and requests in the form that it receives them.

use std::{io, net::SocketAddr, time::Duration};

use http::{HeaderValue, Uri, header::HOST, request, uri::Scheme};
use tokio::{
    net::{TcpSocket, TcpStream, lookup_host},
    time::timeout,
};

use crate::{client::dialect::Request, error::ProbeError};

/// Endpoint that has accepted a connection.
#[derive(Debug)]
pub(crate) struct Endpoint {
    pub(crate) addr: SocketAddr,
    pub(crate) uri: Uri,
    /// How long the server may take to accept a connection, or to complete a check.
    pub(crate) patience: Duration,
}

impl Endpoint {
    /// Resolves `url` to the first of its addresses that accepts a connection.
    pub(crate) async fn find(
        url: &str,
        is_ours: bool,
        patience: Duration,
    ) -> Result<Self, ProbeError> {
        let invalid = || ProbeError::Url { url: url.to_owned() };
        let uri: Uri = url.parse().map_err(|_| invalid())?;
        let host = match (uri.scheme(), uri.host()) {
            (Some(scheme), Some(host)) if *scheme == Scheme::HTTP => host.to_owned(),
            _ => return Err(invalid()),
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
            let endpoint = Self { addr, uri: uri.clone(), patience };
            match endpoint.connect().await {
                Ok(_) => return Ok(endpoint),
                Err(source) => last = ProbeError::Unreachable { addr, source },
            }
        }
        Err(last)
    }

    pub(crate) async fn connect(&self) -> io::Result<TcpStream> {
        self.connect_with(None).await
    }

    /// Connects with a receive buffer of this size. The system rounds it up.
    pub(crate) async fn connect_with(&self, receive_buffer: Option<u32>) -> io::Result<TcpStream> {
        let socket = if self.addr.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        if let Some(bytes) = receive_buffer {
            // Set before connecting: an open window cannot shrink.
            socket.set_recv_buffer_size(bytes)?;
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

    /// Writes the HTTP/1.1 head of a request, with the header that frames its body.
    pub(crate) fn head(&self, request: &Request, framing: &str) -> Vec<u8> {
        let (path, authority) = (self.path(), self.authority());
        let mut head = format!("POST {path} HTTP/1.1\r\nhost: {authority}\r\n").into_bytes();
        for (name, value) in &request.headers {
            head.extend_from_slice(name.as_str().as_bytes());
            head.extend_from_slice(b": ");
            head.extend_from_slice(value.as_bytes());
            head.extend_from_slice(b"\r\n");
        }
        head.extend_from_slice(framing.as_bytes());
        head.extend_from_slice(b"\r\n\r\n");
        head
    }

    /// Writes a complete HTTP/1.1 request.
    pub(crate) fn bytes(&self, request: &Request) -> Vec<u8> {
        let mut bytes = self.head(request, &format!("content-length: {}", request.body.len()));
        bytes.extend_from_slice(&request.body);
        bytes
    }

    /// Returns the head of a request for an HTTP/1.1 client.
    pub(crate) fn http1_parts(&self, request: &Request) -> Option<request::Parts> {
        let host = HeaderValue::from_str(self.authority()).ok()?;
        let path: Uri = self.path().parse().ok()?;
        let mut parts = parts(path, request)?;
        parts.headers.insert(HOST, host);
        Some(parts)
    }

    /// Returns the head of a request for an HTTP/2 client.
    pub(crate) fn http2_parts(&self, request: &Request) -> Option<request::Parts> {
        parts(self.uri.clone(), request)
    }
}

fn parts(uri: Uri, request: &Request) -> Option<request::Parts> {
    let (mut parts, ()) = http::Request::post(uri).body(()).ok()?.into_parts();
    parts.headers = request.headers.clone();
    Some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn find(url: &str) -> Result<Endpoint, ProbeError> {
        Endpoint::find(url, false, Duration::from_secs(1)).await
    }

    #[tokio::test]
    async fn accepts_only_http_urls() {
        for url in ["", "x", "127.0.0.1:80", "https://127.0.0.1/mcp", "http://", "/mcp"] {
            assert!(matches!(find(url).await, Err(ProbeError::Url { .. })), "{url}");
        }
    }

    #[tokio::test]
    async fn rejects_other_machines_before_connecting() {
        for url in ["http://192.0.2.1/mcp", "http://[2001:db8::1]:8080/mcp"] {
            assert!(matches!(find(url).await, Err(ProbeError::NotLoopback { .. })), "{url}");
        }
    }

    #[tokio::test]
    async fn reports_a_refused_connection() {
        // Nothing listens on port 1 of the loopback interface.
        assert!(matches!(
            find("http://127.0.0.1:1/mcp").await,
            Err(ProbeError::Unreachable { .. })
        ));
    }
}
