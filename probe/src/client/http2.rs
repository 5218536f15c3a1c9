//! Client of HTTP/2 without TLS that controls the end of each stream.

use std::time::Duration;

use bytes::Bytes;
use h2::{
    Reason, RecvStream, SendStream,
    client::{self, ResponseFuture, SendRequest},
};
use http::StatusCode;
use serde_json::Value;

use crate::client::{
    check_error::{CheckError, within},
    connection_task::ConnectionTask,
    dialect::Request,
    disconnect::Disconnect,
    endpoint::Endpoint,
    http1::Response,
    message_decoder::MessageDecoder,
};

/// Window of a stream. Small, so that a case can exhaust it.
const STREAM_WINDOW: u32 = 64 << 10;
/// Window of the connection. Large, so that one stream cannot exhaust it for the others.
const CONNECTION_WINDOW: u32 = 8 << 20;

/// HTTP/2 connection. Drop closes the socket soon, [`Connection::close`] at once.
#[derive(Debug)]
pub(crate) struct Connection {
    // Dropped first, so that the connection is not shut down gracefully.
    task: ConnectionTask,
    sender: SendRequest<Bytes>,
}

impl Connection {
    /// Opens a connection that will be closed as `how` says.
    pub(crate) async fn open(endpoint: &Endpoint, how: Disconnect) -> Result<Self, CheckError> {
        let stream = endpoint.connect().await.map_err(CheckError::Connect)?;
        how.prepare(&stream);
        let (sender, connection) = client::Builder::new()
            .initial_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .enable_push(false)
            .handshake(stream)
            .await?;
        Ok(Self { task: ConnectionTask::spawn(connection), sender })
    }

    /// Sends a complete request.
    pub(crate) async fn send(
        &mut self,
        endpoint: &Endpoint,
        request: &Request,
    ) -> Result<Stream, CheckError> {
        within(endpoint.patience, self.begin(endpoint, request, request.body.clone(), true)).await
    }

    /// Sends the head of a request and a part of its body.
    pub(crate) async fn send_part(
        &mut self,
        endpoint: &Endpoint,
        request: &Request,
        part: Bytes,
    ) -> Result<Stream, CheckError> {
        within(endpoint.patience, self.begin(endpoint, request, part, false)).await
    }

    async fn begin(
        &mut self,
        endpoint: &Endpoint,
        request: &Request,
        body: Bytes,
        is_complete: bool,
    ) -> Result<Stream, CheckError> {
        let parts = endpoint.http2_parts(request).ok_or(CheckError::Url)?;
        let mut sender = self.sender.clone().ready().await?;
        let (response, mut stream) =
            sender.send_request(http::Request::from_parts(parts, ()), false)?;
        stream.send_data(body, is_complete)?;
        Ok(Stream { id: request.id.clone(), request: stream, response, incoming: None })
    }

    /// Conducts an exchange on this connection.
    pub(crate) async fn exchange(
        &mut self,
        endpoint: &Endpoint,
        request: &Request,
    ) -> Result<Response, CheckError> {
        self.send(endpoint, request).await?.response().await
    }

    /// Closes the socket, in the way that it was opened for.
    pub(crate) async fn close(self) {
        self.task.close().await;
    }
}

/// HTTP/2 stream: one request and its response.
#[derive(Debug)]
pub(crate) struct Stream {
    id: Value,
    request: SendStream<Bytes>,
    response: ResponseFuture,
    incoming: Option<(MessageDecoder, RecvStream)>,
}

impl Stream {
    /// Cancels the stream.
    pub(crate) fn reset(mut self) {
        self.request.send_reset(Reason::CANCEL);
    }

    /// Waits for the head of the response, and opens no window for its body.
    pub(crate) async fn head(&mut self, limit: Duration) -> Result<StatusCode, CheckError> {
        let response = within(limit, async { Ok((&mut self.response).await?) }).await?;
        let (head, body) = response.into_parts();
        self.incoming = Some((MessageDecoder::new(&head.headers), body));
        Ok(head.status)
    }

    /// Returns whether the response is a stream that starts with a notification.
    pub(crate) async fn has_first_event(&mut self, limit: Duration) -> Result<bool, CheckError> {
        let Some((decoder, body)) = &mut self.incoming else { return Ok(false) };
        within(limit, async {
            while decoder.is_stream() {
                let Some(messages) = next_messages(decoder, body).await? else { break };
                if let Some(message) = messages.first() {
                    return Ok(message.get("method").is_some());
                }
            }
            Ok(false)
        })
        .await
    }

    /// Reads the response up to the message with the id of the request.
    async fn response(&mut self) -> Result<Response, CheckError> {
        let (head, mut body) = (&mut self.response).await?.into_parts();
        let mut decoder = MessageDecoder::new(&head.headers);
        let mut found = None;
        while let Some(messages) = next_messages(&mut decoder, &mut body).await? {
            found = messages.into_iter().find(|message| message["id"] == self.id);
            if found.is_some() {
                break;
            }
        }
        let message = found.or_else(|| decoder.finish());
        let message = message.ok_or(CheckError::NoMessage(head.status))?;
        Ok(Response { status: head.status, headers: head.headers, message })
    }
}

/// Returns the messages in the next frame, or `None` at the end.
async fn next_messages(
    decoder: &mut MessageDecoder,
    body: &mut RecvStream,
) -> Result<Option<Vec<Value>>, CheckError> {
    let Some(data) = body.data().await else { return Ok(None) };
    let data = data?;
    // Fails only when the stream is closed, which needs no window.
    let _ = body.flow_control().release_capacity(data.len());
    Ok(Some(decoder.push(&data)?))
}
