//! Receives a request, whole and within the limits of the host, before a guest is called.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use futures_util::FutureExt;
use http::{HeaderMap, Request, header};
use http_body::{Body, Frame};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::time::{Instant, timeout_at};

use super::pace::Pace;
use crate::{
    runtime::{
        admission::{BodyShare, Peer},
        buffered::{BufferedBody, BufferedRequest},
        host_state::HostState,
    },
    telemetry::{access_log::ExchangeRecord, fault::Fault},
};

/// Receives the body of a request that is not larger, and not slower, than the host allows.
pub(super) async fn receive(
    host: &HostState,
    peer: &Arc<Peer>,
    request: Request<Incoming>,
    record: &ExchangeRecord,
) -> Result<BufferedRequest, Fault> {
    let (parts, body) = request.into_parts();
    let limit = usize::try_from(host.config().max_body).unwrap_or(usize::MAX);
    let announced = announced_length(&parts.headers);
    if announced.is_some_and(|length| length > limit as u64) {
        return Err(Fault::BodyTooLarge);
    }
    let _gauge = host.count_receiving();
    let mut receiver = Receiver {
        body,
        pace: Pace::new(host.config()),
        deadline: record.deadline(host.config()),
        record,
    };
    let (only, copied) = (Bytes::new(), BytesMut::new());
    let mut received = Received { limit, announced, share: peer.body_share(), only, copied };
    while let Some(piece) = receiver.next().await? {
        received.push(piece)?;
    }
    record.request_read();
    Ok(BufferedRequest { parts, body: received.into_body() })
}

/// Returns the length of a body, if its head announces one.
pub(super) fn announced_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// What has arrived of a body.
struct Received {
    limit: usize,
    announced: Option<u64>,
    share: BodyShare,
    /// A piece that is the whole body, as most are. It is not copied.
    only: Bytes,
    /// Pieces are copied, since a small one may hold a large buffer of the connection.
    copied: BytesMut,
}

impl Received {
    fn push(&mut self, piece: Bytes) -> Result<(), Fault> {
        if self.copied.len().saturating_add(piece.len()) > self.limit {
            return Err(Fault::BodyTooLarge);
        }
        self.share.grow(piece.len())?;
        if self.announced == Some(piece.len() as u64) {
            self.only = piece;
        } else {
            self.copied.extend_from_slice(&piece);
        }
        Ok(())
    }

    fn into_body(self) -> BufferedBody {
        let bytes = if self.copied.is_empty() { self.only } else { self.copied.freeze() };
        BufferedBody::new(bytes, self.share)
    }
}

/// Waits for the pieces of a body.
struct Receiver<'a, B> {
    body: B,
    pace: Pace,
    deadline: Instant,
    record: &'a ExchangeRecord,
}

impl<B> Receiver<'_, B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: std::fmt::Display,
{
    /// Returns the next piece, or `None` at the end of the body.
    async fn next(&mut self) -> Result<Option<Bytes>, Fault> {
        loop {
            // A timer is made only for what has to be waited for.
            let frame = match self.body.frame().now_or_never() {
                Some(frame) => frame,
                None => self.wait().await?,
            };
            match frame.map(|frame| frame.map(Frame::into_data)) {
                None => return Ok(None),
                Some(Ok(Ok(piece))) => {
                    self.pace.received(piece.len());
                    return Ok(Some(piece));
                }
                // MCP knows no trailers.
                Some(Ok(Err(_))) => {}
                Some(Err(error)) => {
                    tracing::debug!(target: "midge::exchange", %error, "request body");
                    self.record.client_gone("the request body was cut short");
                    return Err(Fault::BodyTruncated);
                }
            }
        }
    }

    async fn wait(&mut self) -> Result<Option<Result<Frame<Bytes>, B::Error>>, Fault> {
        let since = Instant::now();
        let until = since.checked_add(self.pace.next()).unwrap_or(self.deadline);
        let frame = timeout_at(until.min(self.deadline), self.body.frame()).await;
        self.pace.waited(since.elapsed());
        let late = |_| if until < self.deadline { Fault::BodyStalled } else { Fault::TimedOut };
        frame.map_err(late)
    }
}
