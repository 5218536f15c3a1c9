//! A well-behaved client, up to the point where a case has it leave.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use hyper::{
    body::Incoming,
    client::conn::http1::{self, SendRequest},
};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::{net::TcpStream, task::JoinHandle, time::timeout};

use super::{message::Message, reply::Reply, target::Target, wrong::Wrong};

/// A request body: all of it, or the beginning of one that never goes on.
#[derive(Debug)]
pub(super) struct Payload {
    bytes: Option<Bytes>,
    announced: u64,
    goes_on: bool,
}

impl Payload {
    pub(super) fn whole(bytes: Bytes) -> Self {
        Self { announced: bytes.len() as u64, bytes: Some(bytes), goes_on: false }
    }

    pub(super) fn begun(bytes: Bytes, announced: usize) -> Self {
        Self { announced: announced as u64, bytes: Some(bytes), goes_on: true }
    }
}

impl Body for Payload {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        match self.bytes.take() {
            Some(bytes) => Poll::Ready(Some(Ok(Frame::data(bytes)))),
            None if self.goes_on => Poll::Pending,
            None => Poll::Ready(None),
        }
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.announced)
    }
}

/// An HTTP/1.1 connection. Dropping it closes the socket soon, [`Connection::close`] at once.
#[derive(Debug)]
pub(super) struct Connection {
    sender: SendRequest<Payload>,
    task: JoinHandle<()>,
}

impl Connection {
    pub(super) async fn open(stream: TcpStream) -> Result<Self, Wrong> {
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        // What goes wrong is seen in the answer.
        let task = tokio::spawn(async { drop(connection.await) });
        Ok(Self { sender, task })
    }

    /// Sends a request and waits for the head of its answer.
    pub(super) async fn send(
        &mut self,
        target: &Target,
        message: &Message,
        payload: Payload,
    ) -> Result<Answer, Wrong> {
        let parts = target.parts(message).ok_or(Wrong::Url)?;
        let response = self.sender.send_request(Request::from_parts(parts, payload)).await?;
        let (head, body) = response.into_parts();
        let reply = Reply::new(&head.headers);
        Ok(Answer { status: head.status, headers: head.headers, body, reply })
    }

    /// Leaves, in the way its socket was told to.
    pub(super) async fn close(mut self) {
        self.task.abort();
        // Aborted is what it should be.
        let _ = (&mut self.task).await;
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// An answer that is still coming.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    body: Incoming,
    reply: Reply,
}

impl Answer {
    pub(super) fn is_stream(&self) -> bool {
        self.reply.is_stream()
    }

    /// The messages that come next, or nothing at the end.
    pub(super) async fn messages(&mut self) -> Result<Option<Vec<Value>>, Wrong> {
        match self.body.frame().await {
            Some(frame) => match frame?.into_data() {
                Ok(data) => Ok(Some(self.reply.push(&data)?)),
                Err(_trailers) => Ok(Some(Vec::new())),
            },
            None => Ok(None),
        }
    }

    /// Takes what is left, so that the connection can be used again.
    async fn finish(&mut self) -> Result<(), Wrong> {
        while self.messages().await?.is_some() {}
        Ok(())
    }

    /// The message that answers `id`. A stream need not end with it.
    async fn message(&mut self, id: &Value) -> Result<Value, Wrong> {
        while let Some(messages) = self.messages().await? {
            if let Some(found) = messages.into_iter().find(|message| message["id"] == *id) {
                return Ok(found);
            }
        }
        self.reply.end().ok_or(Wrong::NoMessage(self.status))
    }
}

/// What a whole exchange came to.
#[derive(Debug)]
pub(super) struct Whole {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) message: Value,
}

/// A whole exchange on a connection that is open.
async fn exchange_on(
    connection: &mut Connection,
    target: &Target,
    message: &Message,
) -> Result<(Whole, Answer), Wrong> {
    let payload = Payload::whole(message.body.clone());
    let mut answer = connection.send(target, message, payload).await?;
    let message =
        if message.id.is_null() { Value::Null } else { answer.message(&message.id).await? };
    let whole = Whole { status: answer.status, headers: answer.headers.clone(), message };
    Ok((whole, answer))
}

/// A whole exchange that leaves its connection ready for the next one.
pub(super) async fn exchange_and_keep(
    connection: &mut Connection,
    target: &Target,
    message: &Message,
) -> Result<Whole, Wrong> {
    let (whole, mut rest) = exchange_on(connection, target, message).await?;
    rest.finish().await?;
    Ok(whole)
}

/// A whole exchange on a new connection, within this time.
pub(super) async fn exchange(
    target: &Target,
    message: &Message,
    patience: Duration,
) -> Result<Whole, Wrong> {
    let exchange = async {
        let stream = target.connect().await.map_err(Wrong::Connect)?;
        let mut connection = Connection::open(stream).await?;
        Ok(exchange_on(&mut connection, target, message).await?.0)
    };
    timeout(patience, exchange).await.unwrap_or(Err(Wrong::Late(patience)))
}
