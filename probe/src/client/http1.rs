//! Client of HTTP/1.1, well-behaved until a case closes its connection.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use hyper::{
    body::Incoming,
    client::conn::http1::{self, SendRequest},
};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

use crate::client::{
    check_error::{CheckError, within},
    connection_task::ConnectionTask,
    dialect::Request,
    endpoint::Endpoint,
    message_decoder::MessageDecoder,
};

/// Complete request body, or the beginning of one that stalls.
#[derive(Debug)]
pub(crate) struct RequestBody {
    bytes: Option<Bytes>,
    content_length: u64,
    stalls: bool,
}

impl RequestBody {
    pub(crate) fn complete(bytes: Bytes) -> Self {
        Self { content_length: bytes.len() as u64, bytes: Some(bytes), stalls: false }
    }

    /// Creates a body that announces `content_length` bytes and stalls after `bytes`.
    pub(crate) fn stalled(bytes: Bytes, content_length: usize) -> Self {
        Self { content_length: content_length as u64, bytes: Some(bytes), stalls: true }
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        match self.bytes.take() {
            Some(bytes) => Poll::Ready(Some(Ok(Frame::data(bytes)))),
            None if self.stalls => Poll::Pending,
            None => Poll::Ready(None),
        }
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.content_length)
    }
}

/// HTTP/1.1 connection. Drop closes the socket soon, [`Connection::close`] at once.
#[derive(Debug)]
pub(crate) struct Connection {
    // Dropped first, so that the connection is not shut down gracefully.
    task: ConnectionTask,
    sender: SendRequest<RequestBody>,
}

impl Connection {
    pub(crate) async fn open(stream: TcpStream) -> Result<Self, CheckError> {
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        Ok(Self { task: ConnectionTask::spawn(connection), sender })
    }

    /// Sends a request and waits for the head of its response.
    pub(crate) async fn send(
        &mut self,
        endpoint: &Endpoint,
        request: &Request,
        body: RequestBody,
    ) -> Result<IncomingResponse, CheckError> {
        let parts = endpoint.http1_parts(request).ok_or(CheckError::Url)?;
        let response = self.sender.send_request(http::Request::from_parts(parts, body)).await?;
        let (head, body) = response.into_parts();
        let decoder = MessageDecoder::new(&head.headers);
        Ok(IncomingResponse { status: head.status, headers: head.headers, body, decoder })
    }

    /// Conducts an exchange and reads the response to its end, so that the connection can be
    /// reused.
    pub(crate) async fn exchange(
        &mut self,
        endpoint: &Endpoint,
        request: &Request,
    ) -> Result<Response, CheckError> {
        let (response, mut rest) = exchange_on(self, endpoint, request).await?;
        while rest.messages().await?.is_some() {}
        Ok(response)
    }

    /// Closes the socket, in the way that it was prepared for.
    pub(crate) async fn close(self) {
        self.task.close().await;
    }
}

/// Response whose head has arrived.
#[derive(Debug)]
pub(crate) struct IncomingResponse {
    pub(crate) status: StatusCode,
    headers: HeaderMap,
    body: Incoming,
    decoder: MessageDecoder,
}

impl IncomingResponse {
    pub(crate) fn is_stream(&self) -> bool {
        self.decoder.is_stream()
    }

    /// Returns the messages in the next frame, or `None` at the end.
    pub(crate) async fn messages(&mut self) -> Result<Option<Vec<Value>>, CheckError> {
        match self.body.frame().await {
            Some(frame) => match frame?.into_data() {
                Ok(data) => Ok(Some(self.decoder.push(&data)?)),
                Err(_trailers) => Ok(Some(Vec::new())),
            },
            None => Ok(None),
        }
    }

    /// Reads up to the message with this id. A stream may continue after it.
    async fn message(&mut self, id: &Value) -> Result<Value, CheckError> {
        while let Some(messages) = self.messages().await? {
            if let Some(found) = messages.into_iter().find(|message| message["id"] == *id) {
                return Ok(found);
            }
        }
        self.decoder.finish().ok_or(CheckError::NoMessage(self.status))
    }
}

/// Response of a completed exchange.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) message: Value,
}

async fn exchange_on(
    connection: &mut Connection,
    endpoint: &Endpoint,
    request: &Request,
) -> Result<(Response, IncomingResponse), CheckError> {
    let body = RequestBody::complete(request.body.clone());
    let mut incoming = connection.send(endpoint, request, body).await?;
    let message =
        if request.id.is_null() { Value::Null } else { incoming.message(&request.id).await? };
    let (status, headers) = (incoming.status, incoming.headers.clone());
    Ok((Response { status, headers, message }, incoming))
}

/// Conducts an exchange on a new connection, within the patience of the endpoint.
pub(crate) async fn exchange(
    endpoint: &Endpoint,
    request: &Request,
) -> Result<Response, CheckError> {
    within(endpoint.patience, async {
        let stream = endpoint.connect().await.map_err(CheckError::Connect)?;
        let mut connection = Connection::open(stream).await?;
        Ok(exchange_on(&mut connection, endpoint, request).await?.0)
    })
    .await
}
