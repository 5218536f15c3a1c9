//! The bodies of an exchange: bounded on the way in, guarded on the way out.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker, ready},
    time::Duration,
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::{
    sync::oneshot,
    time::{Instant, Sleep, sleep},
};
use wasmtime_wasi_http::{Error as HttpError, p2::body::HyperOutgoingBody};

use crate::{contract::Outcome, fault::Fault, report::Report};

/// A request body that is cut when it is too large, too slow, or its client leaves.
pub(crate) struct RequestBody<B> {
    inner: B,
    left: u64,
    idle: Duration,
    /// Runs from the first time the guest has to wait.
    timer: Option<Pin<Box<Sleep>>>,
    report: Arc<Report>,
}

impl<B: Body> RequestBody<B> {
    pub(crate) fn new(inner: B, limit: u64, idle: Duration, report: Arc<Report>) -> Self {
        Self { inner, left: limit, idle, timer: None, report }
    }

    fn poll_stalled(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let idle = self.idle;
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep(idle)));
        timer.as_mut().poll(cx)
    }

    fn refuse<T>(&self, fault: Fault, error: HttpError) -> Option<Result<T, HttpError>> {
        self.report.refuse(fault);
        self.report.request_is_cut();
        Some(Err(error))
    }
}

impl<B> Body for RequestBody<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: std::fmt::Display,
{
    type Data = Bytes;
    type Error = HttpError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, HttpError>>> {
        let polled = Pin::new(&mut self.inner).poll_frame(cx);
        self.report.request_is_asked_for(polled.is_pending());
        let Poll::Ready(frame) = polled else {
            ready!(self.poll_stalled(cx));
            return Poll::Ready(self.refuse(Fault::BodyStalled, HttpError::ConnectionReadTimeout));
        };
        let idle = self.idle;
        if let Some(timer) = &mut self.timer {
            timer.as_mut().reset(Instant::now() + idle);
        }
        Poll::Ready(match frame {
            Some(Ok(frame)) => {
                let length = frame.data_ref().map_or(0, |data| data.len() as u64);
                match self.left.checked_sub(length) {
                    Some(left) => {
                        self.left = left;
                        if self.inner.is_end_stream() {
                            self.report.request_is_read();
                        }
                        Some(Ok(frame))
                    }
                    None => self.refuse(Fault::BodyTooLarge, HttpError::HttpRequestBodySize(None)),
                }
            }
            Some(Err(error)) => {
                tracing::debug!(target: "midge::exchange", %error, "request body");
                self.report.client_gone("the request body was cut short");
                self.report.request_is_cut();
                Some(Err(HttpError::ConnectionTerminated))
            }
            None => {
                self.report.request_is_read();
                None
            }
        })
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// The answer is cut: the client must not take what it has for the whole.
#[derive(Debug, thiserror::Error)]
#[error("the guest did not finish its answer")]
pub(crate) struct Unfinished;

/// A response body that knows whether it was taken to its end.
pub(crate) struct ResponseBody {
    source: Source,
    report: Arc<Report>,
    /// Told when the answer is complete; dropped when the client has left before.
    complete: Option<oneshot::Sender<()>>,
    /// No one is going to ask for more.
    done: bool,
}

enum Source {
    /// All there is, so its length is known.
    Pieces(std::vec::IntoIter<Frame<Bytes>>),
    /// What the guest is still writing.
    Guest {
        body: HyperOutgoingBody,
        /// What is left of the announced length. Once it has passed, hyper does not ask again.
        left: Option<u64>,
    },
}

impl ResponseBody {
    /// An answer that is all there.
    pub(crate) fn whole(bytes: Bytes, report: Arc<Report>) -> Self {
        let source = Source::Pieces(vec![Frame::data(bytes)].into_iter());
        Self { source, report, complete: None, done: false }
    }

    /// An answer that the guest is still writing, of a length that it may have announced.
    pub(crate) fn streamed(
        body: HyperOutgoingBody,
        length: Option<u64>,
        report: Arc<Report>,
        complete: oneshot::Sender<()>,
    ) -> Self {
        let source = Source::Guest { body, left: length };
        let mut body = Self { source, report, complete: Some(complete), done: false };
        if length == Some(0) {
            body.expect_nothing();
        }
        body
    }

    /// The answer of a guest that has finished it and ended. It is known whole, so it can go out
    /// with its length and in one write.
    pub(crate) fn finished(mut body: HyperOutgoingBody, report: Arc<Report>) -> Self {
        let mut pieces = Vec::with_capacity(1);
        let mut cx = Context::from_waker(Waker::noop());
        while let Poll::Ready(Some(Ok(frame))) = Pin::new(&mut body).poll_frame(&mut cx) {
            match frame.into_trailers() {
                Ok(mut trailers) => {
                    report.trailer(&mut trailers);
                    if !trailers.is_empty() {
                        pieces.push(Frame::trailers(trailers));
                    }
                }
                Err(data) => pieces.push(data),
            }
        }
        let done = pieces.is_empty();
        Self { source: Source::Pieces(pieces.into_iter()), report, complete: None, done }
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
                if let Source::Guest { left: Some(left), .. } = &mut self.source {
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
        let frame = match &mut self.source {
            Source::Pieces(pieces) => {
                let piece = pieces.next();
                // hyper does not ask again once it has the announced length.
                self.done = pieces.as_slice().is_empty();
                piece.map(Ok)
            }
            Source::Guest { body, .. } => ready!(Pin::new(body).poll_frame(cx)),
        };
        Poll::Ready(self.pass(frame))
    }

    fn is_end_stream(&self) -> bool {
        self.done
    }

    fn size_hint(&self) -> SizeHint {
        match &self.source {
            Source::Pieces(pieces) => pieces
                .as_slice()
                .iter()
                .map(|piece| piece.data_ref().map(|data| data.len() as u64))
                .sum::<Option<u64>>()
                .map_or_else(SizeHint::default, SizeHint::with_exact),
            Source::Guest { body, .. } => body.size_hint(),
        }
    }
}

impl Drop for ResponseBody {
    fn drop(&mut self) {
        if !self.done {
            self.report.client_gone("the client left before the end of the answer");
        }
    }
}
