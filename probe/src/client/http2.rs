//! An HTTP/2 client without TLS that decides when a stream ends.

use std::time::Duration;

use bytes::Bytes;
use h2::{
    Reason, RecvStream, SendStream,
    client::{self, ResponseFuture, SendRequest},
};
use http::{Request, StatusCode};
use serde_json::Value;
use tokio::{task::JoinHandle, time::timeout};

use super::{
    ground::Ground, http1::Whole, message::Message, reply::Reply, wire::Leave, wrong::Wrong,
};

/// What a stream may be sent before it is read: little, so that a case can close its window.
const STREAM_WINDOW: u32 = 64 << 10;
/// What all streams together may be sent: much, so that one does not close the others' window.
const CONNECTION_WINDOW: u32 = 8 << 20;

/// A connection. Dropping it closes the socket soon, [`Connection::close`] at once.
#[derive(Debug)]
pub(super) struct Connection {
    sender: SendRequest<Bytes>,
    task: JoinHandle<()>,
}

impl Connection {
    /// Opens a connection that will end in this way.
    pub(super) async fn open(on: &Ground, how: Leave) -> Result<Self, Wrong> {
        let stream = on.target.connect().await.map_err(Wrong::Connect)?;
        how.prepare(&stream);
        let (sender, connection) = client::Builder::new()
            .initial_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .enable_push(false)
            .handshake(stream)
            .await?;
        // What goes wrong is seen on the streams.
        let task = tokio::spawn(async { drop(connection.await) });
        Ok(Self { sender, task })
    }

    /// Sends a request, and a body that is whole or goes on.
    pub(super) async fn begin(
        &mut self,
        on: &Ground,
        message: &Message,
        body: Bytes,
        is_whole: bool,
    ) -> Result<Call, Wrong> {
        let begun = async {
            let parts = on.target.parts_http2(message).ok_or(Wrong::Url)?;
            let mut sender = self.sender.clone().ready().await?;
            let request = Request::from_parts(parts, ());
            let (response, mut request) = sender.send_request(request, false)?;
            request.send_data(body, is_whole)?;
            Ok(Call { id: message.id.clone(), request, response, answer: None })
        };
        timeout(on.patience, begun).await.unwrap_or(Err(Wrong::Late(on.patience)))
    }

    /// An exchange on this connection that must go well.
    pub(super) async fn good_within(&mut self, on: &Ground, time: Duration) -> Result<(), Wrong> {
        let exchange = async {
            let message = on.check();
            let mut call = self.begin(on, &message, message.body.clone(), true).await?;
            let whole = call.whole().await?;
            on.check.result(&whole, &message.id).map(drop)
        };
        timeout(time, exchange).await.unwrap_or(Err(Wrong::Late(time)))
    }

    /// Leaves with the whole connection.
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

/// A request and its answer: one stream.
#[derive(Debug)]
pub(super) struct Call {
    id: Value,
    request: SendStream<Bytes>,
    response: ResponseFuture,
    answer: Option<(StatusCode, Reply, RecvStream)>,
}

impl Call {
    /// Leaves: nothing more of this is wanted.
    pub(super) fn reset(mut self) {
        self.request.send_reset(Reason::CANCEL);
    }

    /// Waits for the head of the answer, and opens no window for its body.
    pub(super) async fn head(&mut self, within: Duration) -> Result<StatusCode, Wrong> {
        let response = timeout(within, &mut self.response).await;
        let (head, body) = response.map_err(|_| Wrong::Late(within))??.into_parts();
        self.answer = Some((head.status, Reply::new(&head.headers), body));
        Ok(head.status)
    }

    /// Whether a first event comes, and is not the answer already.
    pub(super) async fn has_first_event(&mut self, within: Duration) -> Result<bool, Wrong> {
        let Some((_, reply, body)) = &mut self.answer else { return Ok(false) };
        let event = timeout(within, async {
            while reply.is_stream() {
                let Some(messages) = more(reply, body).await? else { break };
                if let Some(message) = messages.first() {
                    return Ok(message.get("method").is_some());
                }
            }
            Ok(false)
        });
        event.await.unwrap_or(Err(Wrong::Late(within)))
    }

    /// Reads the answer.
    async fn whole(&mut self) -> Result<Whole, Wrong> {
        let (head, mut body) = (&mut self.response).await?.into_parts();
        let mut reply = Reply::new(&head.headers);
        let mut found = None;
        while let Some(messages) = more(&mut reply, &mut body).await? {
            found = messages.into_iter().find(|message| message["id"] == self.id);
            if found.is_some() {
                break;
            }
        }
        let message = found.or_else(|| reply.end()).ok_or(Wrong::NoMessage(head.status))?;
        Ok(Whole { status: head.status, headers: head.headers, message })
    }
}

/// The messages that come next, or nothing at the end.
async fn more(reply: &mut Reply, body: &mut RecvStream) -> Result<Option<Vec<Value>>, Wrong> {
    let Some(data) = body.data().await else { return Ok(None) };
    let data = data?;
    // Only a stream that is gone has no window to open.
    let _ = body.flow_control().release_capacity(data.len());
    Ok(Some(reply.push(&data)?))
}
