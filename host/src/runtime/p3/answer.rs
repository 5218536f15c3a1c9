//! The body of an answer, shared by who takes it and by the life of its guest.

use std::{
    collections::VecDeque,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

use bytes::Bytes;
use http_body::{Body, Frame};
use wasmtime_wasi_http::{Error as HttpError, WasiBody};

/// A body that its guest is still writing.
///
/// When the store of a guest is dropped, the body of wasmtime ends as if that were its end. So it
/// is sealed before: what is there is kept, and what is not finished ends in an error.
#[derive(Clone, Default)]
pub(super) struct Answer(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    state: State,
    /// What was there when it was sealed.
    rest: VecDeque<Frame<Bytes>>,
    waker: Option<Waker>,
}

#[derive(Default)]
enum State {
    /// There is no answer yet.
    #[default]
    None,
    Open(WasiBody),
    /// It came to its end, or nobody wants it.
    Ended,
    Unfinished,
}

impl Answer {
    /// The guest has begun its answer.
    pub(super) fn open(&self, body: WasiBody) -> Taken {
        self.inner().state = State::Open(body);
        Taken(self.clone())
    }

    /// Takes what the guest has left behind, before its store is dropped; says whether that was all
    /// of its answer.
    pub(super) fn seal(&self) -> bool {
        let mut inner = self.inner();
        let mut cx = Context::from_waker(Waker::noop());
        while let Poll::Ready(Some(Ok(frame))) = inner.poll_guest(&mut cx) {
            inner.rest.push_back(frame);
        }
        if let State::Open(_) = inner.state {
            inner.state = State::Unfinished;
        }
        if let Some(waker) = inner.waker.take() {
            waker.wake();
        }
        !matches!(inner.state, State::Unfinished)
    }

    /// Whether the guest has begun its answer.
    pub(super) fn has_begun(&self) -> bool {
        !matches!(self.inner().state, State::None)
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
        let State::Open(body) = &mut self.state else {
            return Poll::Ready(match self.state {
                State::Unfinished => Some(Err(HttpError::ConnectionTerminated)),
                _ => None,
            });
        };
        // It need not wait for anything. That a task has had its share of work is no reason to
        // stop.
        let polled = Pin::new(body).poll_frame(cx);
        match &polled {
            Poll::Ready(None) => self.state = State::Ended,
            Poll::Ready(Some(Err(_))) => self.state = State::Unfinished,
            Poll::Ready(Some(Ok(_))) | Poll::Pending => {}
        }
        polled
    }
}

/// The side of who takes the answer. Dropping it tells the guest that nobody does.
pub(super) struct Taken(Answer);

impl Body for Taken {
    type Data = Bytes;
    type Error = HttpError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Polled {
        self.0.inner().poll(cx)
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        let mut inner = self.0.inner();
        inner.rest.clear();
        inner.state = State::Ended;
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

    fn open() -> (mpsc::UnboundedSender<Bytes>, Answer, Taken) {
        let (sender, receiver) = mpsc::unbounded_channel();
        let answer = Answer::default();
        let taken = answer.open(Channel(receiver).boxed_unsync());
        (sender, answer, taken)
    }

    #[tokio::test]
    async fn what_is_whole_stays_whole() {
        let (sender, answer, taken) = open();
        sender.send(Bytes::from_static(b"one ")).unwrap();
        sender.send(Bytes::from_static(b"two")).unwrap();
        drop(sender);
        assert!(answer.seal());
        assert_eq!(taken.collect().await.unwrap().to_bytes(), "one two");
    }

    #[tokio::test]
    async fn what_is_not_finished_does_not_end_well() {
        let (sender, answer, mut taken) = open();
        sender.send(Bytes::from_static(b"one ")).unwrap();
        assert!(!answer.seal(), "more could come");
        drop(sender);
        let first = taken.frame().await.unwrap().unwrap();
        assert_eq!(first.into_data().unwrap(), "one ");
        assert!(taken.frame().await.unwrap().is_err());
    }

    #[tokio::test]
    async fn who_waits_is_told_of_the_end() {
        let (_sender, answer, mut taken) = open();
        let waiting = tokio::spawn(async move { taken.frame().await });
        tokio::task::yield_now().await;
        assert!(!answer.seal());
        assert!(waiting.await.unwrap().unwrap().is_err());
    }

    #[test]
    fn an_answer_that_nobody_takes_is_let_go_of() {
        let (sender, answer, taken) = open();
        drop(taken);
        assert!(sender.is_closed(), "the guest is told");
        assert!(answer.seal(), "and nothing is missing");
    }
}
