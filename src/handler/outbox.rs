//! The way of notifications from a handler to whoever writes the answer.
//!
//! A handler and its writer run in one task on one thread: the writer polls the handler, then
//! takes what it left here. Sending waits until the writer has taken and written it, so a handler
//! cannot run ahead of a slow client.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

#[derive(Debug, Clone, Default)]
pub(crate) struct Outbox(Rc<RefCell<State>>);

#[derive(Debug, Default)]
struct State {
    queue: VecDeque<String>,
    /// How many notifications were queued and written so far.
    queued: u64,
    written: u64,
    /// Nobody will take any more: the client is gone, or takes no stream.
    closed: bool,
    cancelled: bool,
    wakers: Vec<Waker>,
}

impl State {
    /// Once for each waker: a future may be polled often before anything happens.
    fn wake_later(&mut self, waker: &Waker) {
        if !self.wakers.iter().any(|other| other.will_wake(waker)) {
            self.wakers.push(waker.clone());
        }
    }
}

impl Outbox {
    /// Whether what is sent here has a chance to arrive.
    pub(crate) fn is_open(&self) -> bool {
        !self.0.borrow().closed
    }

    /// Queues one JSON text and waits until it is written, or until nobody will.
    pub(crate) fn send(&self, json: String) -> impl Future<Output = ()> + use<> {
        let state = Rc::clone(&self.0);
        let ticket = {
            let mut state = state.borrow_mut();
            if !state.closed {
                state.queue.push_back(json);
                state.queued += 1;
            }
            state.queued
        };
        poll_fn(move |context| {
            let mut state = state.borrow_mut();
            if state.closed || state.written >= ticket {
                return Poll::Ready(());
            }
            state.wake_later(context.waker());
            Poll::Pending
        })
    }

    /// Takes the next notification to write.
    pub(crate) fn take(&self) -> Option<String> {
        self.0.borrow_mut().queue.pop_front()
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.0.borrow().queue.len()
    }

    /// Says that the notification taken last is written.
    pub(crate) fn mark_written(&self) {
        let wakers = {
            let mut state = self.0.borrow_mut();
            state.written += 1;
            std::mem::take(&mut state.wakers)
        };
        wakers.into_iter().for_each(Waker::wake);
    }

    /// Drops what is queued and whatever comes; senders go on at once.
    pub(crate) fn close(&self) {
        let wakers = {
            let mut state = self.0.borrow_mut();
            state.closed = true;
            state.queue.clear();
            std::mem::take(&mut state.wakers)
        };
        wakers.into_iter().for_each(Waker::wake);
    }

    /// Closes, because the client is gone.
    pub(crate) fn cancel(&self) {
        self.0.borrow_mut().cancelled = true;
        self.close();
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.0.borrow().cancelled
    }

    /// Waits until the client is gone.
    pub(crate) fn cancelled(&self) -> impl Future<Output = ()> + use<> {
        let outbox = self.clone();
        poll_fn(move |cx| outbox.poll_cancelled(cx))
    }

    /// Whether the client is gone; wakes the task when it is later.
    pub(crate) fn poll_cancelled(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.0.borrow_mut();
        if state.cancelled {
            return Poll::Ready(());
        }
        state.wake_later(cx.waker());
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_lite::future::{block_on, poll_once};

    #[test]
    fn sending_waits_until_it_is_written() {
        let outbox = Outbox::default();
        let mut sending = Box::pin(outbox.send("1".to_owned()));
        assert_eq!(block_on(poll_once(&mut sending)), None);
        assert_eq!(outbox.take().as_deref(), Some("1"));
        assert_eq!(block_on(poll_once(&mut sending)), None, "taken is not written");
        outbox.mark_written();
        assert_eq!(block_on(poll_once(&mut sending)), Some(()));
    }

    #[test]
    fn a_closed_outbox_keeps_nothing_and_stops_nobody() {
        let outbox = Outbox::default();
        let mut early = Box::pin(outbox.send("1".to_owned()));
        assert_eq!(block_on(poll_once(&mut early)), None);
        outbox.close();
        block_on(early);
        block_on(outbox.send("2".to_owned()));
        assert_eq!(outbox.take(), None);
        assert!(!outbox.is_cancelled());
    }

    #[test]
    fn polling_often_keeps_one_waker() {
        let outbox = Outbox::default();
        let mut waiting = Box::pin(outbox.cancelled());
        for _ in 0..1000 {
            assert_eq!(block_on(poll_once(&mut waiting)), None);
        }
        assert!(outbox.0.borrow().wakers.len() < 10);
    }

    #[test]
    fn cancelling_wakes_who_waits_for_it() {
        let outbox = Outbox::default();
        let mut waiting = Box::pin(outbox.cancelled());
        assert_eq!(block_on(poll_once(&mut waiting)), None);
        outbox.cancel();
        block_on(waiting);
        assert!(outbox.is_cancelled());
    }
}
