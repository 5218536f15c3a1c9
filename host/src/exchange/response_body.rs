//! The body of an answer: who takes it, and whether to its end.

use std::{
    future::poll_fn,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll, Waker, ready},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::{
    sync::{OwnedSemaphorePermit, oneshot},
    task::coop,
};
use wasmtime_wasi_http::{Error as HttpError, p2::body::HyperOutgoingBody};

use crate::{contract::Outcome, telemetry::access_log::Report};

/// The answer is cut: the client must not take what it has for the whole.
#[derive(Debug, thiserror::Error)]
#[error("the guest did not finish its answer")]
pub(crate) struct Unfinished;

/// The most that is handed over at once: a client that takes nothing leaves the rest where it is.
const PIECE: usize = 64 << 10;

/// A response body that knows whether it was taken to its end.
pub(crate) struct ResponseBody {
    /// What is there already, and comes first.
    pieces: std::vec::IntoIter<Piece>,
    /// What the guest is still writing.
    guest: Option<HyperOutgoingBody>,
    /// What is left of the announced length. Once it has passed, hyper does not ask again.
    left: Option<u64>,
    report: Arc<Report>,
    /// Told when the answer is complete; dropped when the client has left before.
    complete: Option<oneshot::Sender<()>>,
    /// No one is going to ask for more.
    done: bool,
    /// Of an exchange whose guest has ended, and whose answer is still to be taken.
    permit: Option<OwnedSemaphorePermit>,
}

type Piece = Result<Frame<Bytes>, HttpError>;

impl ResponseBody {
    /// An answer that is all there.
    pub(crate) fn whole(mut bytes: Bytes, report: Arc<Report>) -> Self {
        let mut pieces = Vec::with_capacity(1);
        while !bytes.is_empty() {
            pieces.push(Ok(Frame::data(bytes.split_to(bytes.len().min(PIECE)))));
        }
        let mut body = Self::new(pieces, None, None, report);
        body.done = body.pieces.as_slice().is_empty();
        body
    }

    /// The same, which is one of the exchanges at work until it is over.
    pub(crate) fn holding(mut self, permit: Option<OwnedSemaphorePermit>) -> Self {
        self.permit = permit;
        self
    }

    /// An answer that the guest is still writing, of a length that it may have announced.
    pub(crate) fn streamed(
        body: HyperOutgoingBody,
        length: Option<u64>,
        report: Arc<Report>,
        complete: oneshot::Sender<()>,
    ) -> Self {
        let mut body = Self::new(Vec::new(), Some(body), length, report);
        body.complete = Some(complete);
        if length == Some(0) {
            body.expect_nothing();
        }
        body
    }

    /// The answer of a guest that has finished it and ended. It is known whole, so it can go out
    /// with its length and in one write.
    pub(crate) fn finished(
        mut body: HyperOutgoingBody,
        length: Option<u64>,
        report: Arc<Report>,
    ) -> Self {
        let mut pieces = Vec::with_capacity(1);
        let is_whole = drain(&mut body, &mut pieces);
        if let Some(Ok(last)) = pieces.last_mut()
            && let Some(trailers) = last.trailers_mut()
        {
            report.trailer(trailers);
            if trailers.is_empty() {
                pieces.pop();
            }
        }
        if is_whole {
            let mut body = Self::new(pieces, None, None, report);
            body.done = body.pieces.as_slice().is_empty();
            return body;
        }
        Self::new(pieces, Some(body), length, report)
    }

    fn new(
        pieces: Vec<Piece>,
        guest: Option<HyperOutgoingBody>,
        left: Option<u64>,
        report: Arc<Report>,
    ) -> Self {
        report.waits(true);
        Self {
            pieces: pieces.into_iter(),
            guest,
            left,
            report,
            complete: None,
            done: false,
            permit: None,
        }
    }

    /// The answer has a head only, or says that its body is empty: hyper will not ask for it.
    pub(crate) fn expect_nothing(&mut self) {
        self.finish();
    }

    fn finish(&mut self) {
        self.done = true;
        if let Some(complete) = self.complete.take() {
            // A guest that has ended already does not listen.
            let _ = complete.send(());
        }
    }

    fn pass(
        &mut self,
        frame: Option<Result<Frame<Bytes>, HttpError>>,
    ) -> Option<Result<Frame<Bytes>, Unfinished>> {
        let frame = match frame {
            Some(Ok(frame)) => frame,
            Some(Err(_)) => {
                self.report.cut(Outcome::Trapped, "the guest abandoned its answer");
                self.done = true;
                return Some(Err(Unfinished));
            }
            None => {
                self.finish();
                return None;
            }
        };
        match frame.into_trailers() {
            Ok(mut trailers) => {
                self.report.trailer(&mut trailers);
                self.finish();
                (!trailers.is_empty()).then(|| Ok(Frame::trailers(trailers)))
            }
            Err(frame) => {
                let length = frame.data_ref().map_or(0, Bytes::len);
                self.report.wrote(length);
                if let Some(left) = &mut self.left {
                    *left = left.saturating_sub(length as u64);
                    if *left == 0 {
                        self.finish();
                    }
                }
                Some(Ok(frame))
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
                self.report.waits(polled.is_ready());
                ready!(polled)
            }
            (piece, guest) => {
                // hyper does not ask again once it has the announced length.
                let is_last = guest.is_none() && self.pieces.as_slice().is_empty();
                self.done = is_last;
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

/// Takes all that a guest which has ended has left behind, and says whether that was the end.
fn drain(body: &mut HyperOutgoingBody, pieces: &mut Vec<Piece>) -> bool {
    // It need not wait for anything. That a task has had its share of work is no reason to stop.
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
        self.report.waits(false);
        // One that was handed over whole may still have waited for its client.
        if !self.done || self.report.client_was_stuck() {
            self.report.client_gone("the client left before the end of the answer");
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use http_body_util::BodyExt;
    use tokio::sync::mpsc;

    use super::*;

    /// A body like those of guests: made of what is in a channel of tokio.
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

    /// Uses up what tokio lets a task do before it has to yield.
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
    async fn an_answer_is_whole_however_much_its_task_has_done() {
        let (sender, body) = channel();
        for text in ["one ", "two"] {
            sender.send(Ok(Frame::data(Bytes::from_static(text.as_bytes())))).unwrap();
        }
        drop(sender);
        exhaust().await;
        let report = Report::for_test();
        let body = ResponseBody::finished(body, None, report);
        assert_eq!(body.size_hint().exact(), Some(7));
        assert_eq!(body.collect().await.unwrap().to_bytes(), "one two");
    }

    #[tokio::test]
    async fn what_is_not_there_yet_is_waited_for() {
        let (sender, body) = channel();
        sender.send(Ok(Frame::data(Bytes::from_static(b"one ")))).unwrap();
        let body = ResponseBody::finished(body, None, Report::for_test());
        assert_eq!(body.size_hint().exact(), None);
        sender.send(Ok(Frame::data(Bytes::from_static(b"two")))).unwrap();
        drop(sender);
        assert_eq!(body.collect().await.unwrap().to_bytes(), "one two");
    }

    #[tokio::test]
    async fn an_answer_that_was_abandoned_does_not_end_well() {
        let (sender, body) = channel();
        sender.send(Ok(Frame::data(Bytes::from_static(b"one ")))).unwrap();
        sender.send(Err(HttpError::HttpProtocolError)).unwrap();
        drop(sender);
        let body = ResponseBody::finished(body, None, Report::for_test());
        assert!(body.collect().await.is_err());
    }
}
