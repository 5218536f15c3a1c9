//! The body of a response, and whether its client receives it to the end.

use std::{
    future::poll_fn,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll, Waker, ready},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::task::coop;
use wasmtime_wasi_http::{Error as HttpError, p2::body::HyperOutgoingBody};

use midge_contract::Outcome;

use crate::{runtime::admission::BodyShare, telemetry::access_log::ExchangeRecord};

/// The guest did not finish the body. The connection is aborted, so that the client does not take a
/// truncated body for a complete one.
#[derive(Debug, thiserror::Error)]
#[error("the guest did not finish its response")]
pub(crate) struct Unfinished;

/// The largest piece that is handed to hyper at once, so that hyper does not buffer more for a client
/// that does not read.
const MAX_PIECE: usize = 64 << 10;

/// A response body that records whether it was sent to its end.
pub(crate) struct ResponseBody {
    /// Pieces that are there already, and come first.
    pieces: std::vec::IntoIter<Piece>,
    /// The rest, which the guest is still writing.
    guest: Option<HyperOutgoingBody>,
    /// Bytes left of the announced length. Once there are none, hyper does not poll again.
    left: Option<u64>,
    record: Arc<ExchangeRecord>,
    /// Whether hyper has all it will poll for.
    done: bool,
    /// The bytes of `pieces`.
    share: Option<BodyShare>,
}

type Piece = Result<Frame<Bytes>, HttpError>;

impl ResponseBody {
    /// Creates a fully buffered body.
    pub(crate) fn buffered(mut bytes: Bytes, record: Arc<ExchangeRecord>) -> Self {
        let mut pieces = Vec::with_capacity(1);
        while !bytes.is_empty() {
            pieces.push(Ok(Frame::data(bytes.split_to(bytes.len().min(MAX_PIECE)))));
        }
        Self::whole(pieces, record)
    }

    /// Holds a share of the bytes of the host until the body is dropped.
    pub(crate) fn holding(mut self, share: BodyShare) -> Self {
        self.share = Some(share);
        self
    }

    /// Creates a body that the guest is still writing, of a length that it may have announced.
    pub(crate) fn streamed(
        body: HyperOutgoingBody,
        length: Option<u64>,
        record: Arc<ExchangeRecord>,
    ) -> Self {
        let mut body = Self::new(Vec::new(), Some(body), length, record);
        if length == Some(0) {
            body.expect_nothing();
        }
        body
    }

    /// Creates the body of a guest that has exited after it has written all of it. It is sent with its
    /// length and in one write.
    pub(crate) fn finished(
        mut body: HyperOutgoingBody,
        length: Option<u64>,
        record: Arc<ExchangeRecord>,
        mut share: BodyShare,
    ) -> Self {
        let mut pieces = Vec::with_capacity(1);
        let is_whole = drain(&mut body, &mut pieces);
        if let Some(Ok(last)) = pieces.last_mut()
            && let Some(trailers) = last.trailers_mut()
        {
            record.response_trailers(trailers);
            if trailers.is_empty() {
                pieces.pop();
            }
        }
        let frames = pieces.iter().filter_map(|piece| piece.as_ref().ok()?.data_ref());
        share.hold(frames.map(Bytes::len).sum());
        let body = if is_whole {
            Self::whole(pieces, record)
        } else {
            Self::new(pieces, Some(body), length, record)
        };
        body.holding(share)
    }

    fn whole(pieces: Vec<Piece>, record: Arc<ExchangeRecord>) -> Self {
        let mut body = Self::new(pieces, None, None, record);
        if body.pieces.as_slice().is_empty() {
            body.finish();
        }
        body
    }

    fn new(
        pieces: Vec<Piece>,
        guest: Option<HyperOutgoingBody>,
        left: Option<u64>,
        record: Arc<ExchangeRecord>,
    ) -> Self {
        record.response_waits(true);
        Self { pieces: pieces.into_iter(), guest, left, record, done: false, share: None }
    }

    /// Expects no poll: the response has a head only, or announces an empty body.
    pub(crate) fn expect_nothing(&mut self) {
        self.finish();
    }

    fn finish(&mut self) {
        self.done = true;
        self.record.response_complete();
    }

    /// Records a frame, and strips trailers of the fields that are for the host.
    fn pass(
        &mut self,
        frame: Option<Result<Frame<Bytes>, HttpError>>,
    ) -> Option<Result<Frame<Bytes>, Unfinished>> {
        match frame.map(|frame| frame.map(Frame::into_data)) {
            Some(Ok(Ok(data))) => {
                self.pass_data(&data);
                Some(Ok(Frame::data(data)))
            }
            Some(Ok(Err(frame))) => {
                let mut trailers = frame.into_trailers().unwrap_or_default();
                self.record.response_trailers(&mut trailers);
                self.finish();
                (!trailers.is_empty()).then(|| Ok(Frame::trailers(trailers)))
            }
            Some(Err(_)) => {
                self.record.cut_short(Outcome::Trapped, "the guest abandoned its response");
                self.done = true;
                Some(Err(Unfinished))
            }
            None => {
                self.finish();
                None
            }
        }
    }

    fn pass_data(&mut self, data: &Bytes) {
        self.record.response_bytes(data.len());
        if let Some(left) = &mut self.left {
            *left = left.saturating_sub(data.len() as u64);
            if *left == 0 {
                self.finish();
            }
        }
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = Unfinished;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Unfinished>>> {
        if self.done {
            return Poll::Ready(None);
        }
        let frame = match (self.pieces.next(), &mut self.guest) {
            (None, Some(body)) => {
                let polled = Pin::new(body).poll_frame(cx);
                self.record.response_waits(polled.is_ready());
                ready!(polled)
            }
            (piece, guest) => {
                // hyper does not poll again once it has the announced length.
                if guest.is_none() && self.pieces.as_slice().is_empty() {
                    self.finish();
                }
                piece
            }
        };
        Poll::Ready(self.pass(frame))
    }

    fn is_end_stream(&self) -> bool {
        self.done
    }

    fn size_hint(&self) -> SizeHint {
        let length = |piece: &Piece| Some(piece.as_ref().ok()?.data_ref()?.len() as u64);
        let pieces = self.pieces.as_slice().iter();
        match &self.guest {
            None => pieces
                .map(length)
                .sum::<Option<u64>>()
                .map_or_else(SizeHint::default, SizeHint::with_exact),
            Some(_) => SizeHint::default(),
        }
    }
}

/// Takes all pieces that a guest has left when it exited. Returns whether that was the end of the body.
fn drain(body: &mut HyperOutgoingBody, pieces: &mut Vec<Piece>) -> bool {
    // Nothing is awaited. Unconstrained, since tokio would end the poll once the task has used up its
    // cooperative budget.
    let all = coop::unconstrained(poll_fn(|cx| {
        while let Some(piece) = ready!(Pin::new(&mut *body).poll_frame(cx)) {
            pieces.push(piece);
        }
        Poll::Ready(())
    }));
    pin!(all).poll(&mut Context::from_waker(Waker::noop())).is_ready()
}

impl Drop for ResponseBody {
    fn drop(&mut self) {
        self.record.response_waits(false);
        // A body that hyper has taken to its end may still have been waiting for the client.
        if !self.done || self.record.client_stalled() {
            self.record.client_gone("the client disconnected before the end of the response");
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use std::net::Ipv4Addr;

    use http_body_util::BodyExt;
    use tokio::sync::mpsc;

    use super::*;
    use crate::{config::Config, runtime::admission::Admission};

    /// A body like those of guests: the pieces in a channel of tokio.
    fn channel() -> (mpsc::UnboundedSender<Piece>, HyperOutgoingBody) {
        let (sender, receiver) = mpsc::unbounded_channel();
        (sender, Channel(receiver).boxed_unsync())
    }

    struct Channel(mpsc::UnboundedReceiver<Piece>);

    impl Body for Channel {
        type Data = Bytes;
        type Error = HttpError;

        fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Piece>> {
            self.0.poll_recv(cx)
        }
    }

    fn share() -> BodyShare {
        Admission::new(&Config::default()).peer(Ipv4Addr::LOCALHOST.into()).body_share()
    }

    /// Uses up the cooperative budget of the task.
    async fn exhaust() {
        let (sender, mut receiver) = mpsc::unbounded_channel();
        (0..1000).for_each(|n| sender.send(n).unwrap());
        poll_fn(|cx| {
            while receiver.poll_recv(cx).is_ready() {}
            Poll::Ready(())
        })
        .await;
    }

    #[tokio::test]
    async fn a_body_is_complete_without_any_budget_left() {
        let (sender, body) = channel();
        for text in ["one ", "two"] {
            sender.send(Ok(Frame::data(Bytes::from_static(text.as_bytes())))).unwrap();
        }
        drop(sender);
        exhaust().await;
        let record = ExchangeRecord::for_test();
        let body = ResponseBody::finished(body, None, record, share());
        assert_eq!(body.size_hint().exact(), Some(7));
        assert_eq!(body.collect().await.unwrap().to_bytes(), "one two");
    }

    #[tokio::test]
    async fn pieces_that_are_not_there_yet_are_awaited() {
        let (sender, body) = channel();
        sender.send(Ok(Frame::data(Bytes::from_static(b"one ")))).unwrap();
        let body = ResponseBody::finished(body, None, ExchangeRecord::for_test(), share());
        assert_eq!(body.size_hint().exact(), None);
        sender.send(Ok(Frame::data(Bytes::from_static(b"two")))).unwrap();
        drop(sender);
        assert_eq!(body.collect().await.unwrap().to_bytes(), "one two");
    }

    #[tokio::test]
    async fn an_abandoned_body_ends_in_an_error() {
        let (sender, body) = channel();
        sender.send(Ok(Frame::data(Bytes::from_static(b"one ")))).unwrap();
        sender.send(Err(HttpError::HttpProtocolError)).unwrap();
        drop(sender);
        let body = ResponseBody::finished(body, None, ExchangeRecord::for_test(), share());
        assert!(body.collect().await.is_err());
    }
}
