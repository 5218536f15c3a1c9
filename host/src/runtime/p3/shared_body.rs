//! The body of a response, shared by the connection that reads it and the task of its guest.

use std::{
    collections::VecDeque,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

use bytes::Bytes;
use http_body::{Body, Frame};
use wasmtime_wasi_http::{Error as HttpError, WasiBody};

/// A body that a guest is writing.
///
/// When the store of a guest is dropped, wasmtime ends the body as if it were complete. So it is sealed
/// before: frames that are there are kept, and a body that is not finished ends in an error.
#[derive(Clone, Default)]
pub(super) struct SharedBody(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    state: BodyState,
    /// Frames that were there when it was sealed.
    rest: VecDeque<Frame<Bytes>>,
    waker: Option<Waker>,
}

#[derive(Default)]
enum BodyState {
    /// There is no response yet.
    #[default]
    None,
    Open(WasiBody),
    /// It was read to its end, or its reader was dropped.
    Ended,
    Unfinished,
}

impl SharedBody {
    /// Opens the body, once the guest has sent the head.
    pub(super) fn open(&self, body: WasiBody) -> SharedBodyReader {
        self.inner().state = BodyState::Open(body);
        SharedBodyReader(self.clone())
    }

    /// Keeps the frames that the guest has written, before its store is dropped. Returns whether the
    /// body is complete.
    pub(super) fn seal(&self) -> bool {
        let mut inner = self.inner();
        let mut cx = Context::from_waker(Waker::noop());
        while let Poll::Ready(Some(Ok(frame))) = inner.poll_guest(&mut cx) {
            inner.rest.push_back(frame);
        }
        if let BodyState::Open(_) = inner.state {
            inner.state = BodyState::Unfinished;
        }
        if let Some(waker) = inner.waker.take() {
            waker.wake();
        }
        !matches!(inner.state, BodyState::Unfinished)
    }

    /// Whether the guest has sent the head.
    pub(super) fn has_begun(&self) -> bool {
        !matches!(self.inner().state, BodyState::None)
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

type Polled = Poll<Option<Result<Frame<Bytes>, HttpError>>>;

impl Inner {
    fn poll(&mut self, cx: &mut Context<'_>) -> Polled {
        if let Some(frame) = self.rest.pop_front() {
            return Poll::Ready(Some(Ok(frame)));
        }
        let polled = self.poll_guest(cx);
        if polled.is_pending() {
            self.waker = Some(cx.waker().clone());
        }
        polled
    }

    fn poll_guest(&mut self, cx: &mut Context<'_>) -> Polled {
        let BodyState::Open(body) = &mut self.state else {
            return Poll::Ready(match self.state {
                BodyState::Unfinished => Some(Err(HttpError::ConnectionTerminated)),
                _ => None,
            });
        };
        let polled = Pin::new(body).poll_frame(cx);
        match &polled {
            Poll::Ready(None) => self.state = BodyState::Ended,
            Poll::Ready(Some(Err(_))) => self.state = BodyState::Unfinished,
            Poll::Ready(Some(Ok(_))) | Poll::Pending => {}
        }
        polled
    }
}

/// The reading side of a body. Dropping it notifies the guest that the body is not read on.
pub(super) struct SharedBodyReader(SharedBody);

impl Body for SharedBodyReader {
    type Data = Bytes;
    type Error = HttpError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Polled {
        self.0.inner().poll(cx)
    }
}

impl Drop for SharedBodyReader {
    fn drop(&mut self) {
        let mut inner = self.0.inner();
        inner.rest.clear();
        inner.state = BodyState::Ended;
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use http_body_util::BodyExt;
    use tokio::sync::mpsc;

    use super::*;

    struct Channel(mpsc::UnboundedReceiver<Bytes>);

    impl Body for Channel {
        type Data = Bytes;
        type Error = HttpError;

        fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Polled {
            self.0.poll_recv(cx).map(|piece| Some(Ok(Frame::data(piece?))))
        }
    }

    fn open() -> (mpsc::UnboundedSender<Bytes>, SharedBody, SharedBodyReader) {
        let (sender, receiver) = mpsc::unbounded_channel();
        let body = SharedBody::default();
        let reader = body.open(Channel(receiver).boxed_unsync());
        (sender, body, reader)
    }

    #[tokio::test]
    async fn a_complete_body_stays_complete() {
        let (sender, body, reader) = open();
        sender.send(Bytes::from_static(b"one ")).unwrap();
        sender.send(Bytes::from_static(b"two")).unwrap();
        drop(sender);
        assert!(body.seal());
        assert_eq!(reader.collect().await.unwrap().to_bytes(), "one two");
    }

    #[tokio::test]
    async fn an_unfinished_body_ends_in_an_error() {
        let (sender, body, mut reader) = open();
        sender.send(Bytes::from_static(b"one ")).unwrap();
        assert!(!body.seal(), "more could come");
        drop(sender);
        let first = reader.frame().await.unwrap().unwrap();
        assert_eq!(first.into_data().unwrap(), "one ");
        assert!(reader.frame().await.unwrap().is_err());
    }

    #[tokio::test]
    async fn a_waiting_reader_is_woken_by_the_end() {
        let (_sender, body, mut reader) = open();
        let waiting = tokio::spawn(async move { reader.frame().await });
        tokio::task::yield_now().await;
        assert!(!body.seal());
        assert!(waiting.await.unwrap().unwrap().is_err());
    }

    #[test]
    fn a_body_that_nobody_reads_is_dropped() {
        let (sender, body, reader) = open();
        drop(reader);
        assert!(sender.is_closed(), "the guest is notified");
        assert!(body.seal(), "and nothing is missing");
    }
}
