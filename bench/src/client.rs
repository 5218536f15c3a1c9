//! One client: asks, waits for the whole answer, checks it, asks again.

use std::net::SocketAddr;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::{
    body::Incoming,
    client::conn::{http1, http2},
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;

use crate::{error::BenchError, message::Message, workload::Wire};

/// A client with at most one connection.
pub(crate) struct Client {
    addr: SocketAddr,
    wire: Wire,
    connection: Option<Connection>,
}

enum Connection {
    Http1(http1::SendRequest<Full<Bytes>>),
    Http2(http2::SendRequest<Full<Bytes>>),
}

impl Client {
    pub(crate) fn new(addr: SocketAddr, wire: Wire) -> Self {
        Self { addr, wire, connection: None }
    }

    /// Asks, and has the whole answer, which is right.
    pub(crate) async fn ask(&mut self, what: &str, message: &Message) -> Result<(), BenchError> {
        let response = self.begin(message).await?;
        let status = response.status();
        let body = response.into_body().collect().await?.to_bytes();
        if message.is_answered_by(status, &body) {
            return Ok(());
        }
        Err(BenchError::Wrong {
            what: what.to_owned(),
            status: status.as_u16(),
            length: body.len(),
            excerpt: String::from_utf8_lossy(&body).chars().take(300).collect(),
        })
    }

    /// Asks, and has the head of the answer.
    pub(crate) async fn begin(
        &mut self,
        message: &Message,
    ) -> Result<Response<Incoming>, BenchError> {
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => connect(self.addr, self.wire).await?,
        };
        let request = message.request(self.addr, self.wire);
        let (response, connection) = connection.send(request).await?;
        if self.wire != Wire::NewConnection {
            self.connection = Some(connection);
        }
        Ok(response)
    }
}

impl Connection {
    async fn send(
        self,
        request: Request<Full<Bytes>>,
    ) -> Result<(Response<Incoming>, Self), BenchError> {
        match self {
            Self::Http1(mut sender) => {
                sender.ready().await?;
                Ok((sender.send_request(request).await?, Self::Http1(sender)))
            }
            Self::Http2(mut sender) => {
                sender.ready().await?;
                Ok((sender.send_request(request).await?, Self::Http2(sender)))
            }
        }
    }
}

async fn connect(addr: SocketAddr, wire: Wire) -> Result<Connection, BenchError> {
    let socket = TcpStream::connect(addr).await?;
    socket.set_nodelay(true)?;
    let io = TokioIo::new(socket);
    // What goes wrong with a connection, its sender learns as well.
    match wire {
        Wire::KeepAlive | Wire::NewConnection => {
            let (sender, connection) = http1::handshake(io).await?;
            tokio::spawn(connection);
            Ok(Connection::Http1(sender))
        }
        Wire::H2c => {
            let (sender, connection) = http2::handshake(TokioExecutor::new(), io).await?;
            tokio::spawn(connection);
            Ok(Connection::Http2(sender))
        }
    }
}
