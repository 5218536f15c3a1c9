//! The body of a request, limited in size and time.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::time::{Instant, Sleep, sleep_until};
use wasmtime_wasi_http::Error as HttpError;

use crate::{
    config::Config,
    telemetry::{access_log::ExchangeRecord, fault::Fault},
};

/// A request body that fails when it is too large, too slow, or its client disconnects.
pub(crate) struct RequestBody<B> {
    inner: B,
    /// Bytes left of `max_body`.
    left: u64,
    patience: Patience,
    /// Since when the guest has been waiting for the next piece.
    waiting: Option<Instant>,
    timer: Option<Pin<Box<Sleep>>>,
    record: Arc<ExchangeRecord>,
}

impl<B: Body> RequestBody<B> {
    pub(crate) fn new(inner: B, config: &Config, record: Arc<ExchangeRecord>) -> Self {
        let patience = Patience::new(config);
        Self { inner, left: config.max_body, patience, waiting: None, timer: None, record }
    }

    fn poll_stalled(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let begins = self.waiting.is_none();
        let since = *self.waiting.get_or_insert_with(Instant::now);
        let until = since + self.patience.next();
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(until)));
        if begins {
            timer.as_mut().reset(until);
        }
        timer.as_mut().poll(cx)
    }

    fn refuse<T>(&self, fault: Fault, error: HttpError) -> Option<Result<T, HttpError>> {
        self.record.refuse(fault);
        self.record.request_truncated();
        Some(Err(error))
    }
}

/// How long a guest may wait for its client.
struct Patience {
    /// The longest pause.
    pause: Duration,
    /// What is left of all pauses together. Each byte adds to it.
    rest: Duration,
    /// What one byte adds.
    per_byte: Duration,
}

impl Patience {
    fn new(config: &Config) -> Self {
        let pause = config.body_timeout;
        match u32::try_from(config.body_rate) {
            // Any rate is accepted.
            Ok(0) => Self { pause, rest: Duration::MAX, per_byte: Duration::ZERO },
            Ok(rate) => Self { pause, rest: pause, per_byte: Duration::from_secs(1) / rate },
            Err(_) => Self { pause, rest: pause, per_byte: Duration::ZERO },
        }
    }

    /// Returns how long the next pause may take.
    fn next(&self) -> Duration {
        self.pause.min(self.rest)
    }

    fn waited(&mut self, time: Duration) {
        self.rest = self.rest.saturating_sub(time);
    }

    fn received(&mut self, bytes: u64) {
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        self.rest = self.rest.saturating_add(self.per_byte.saturating_mul(bytes));
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
        self.record.request_polled(polled.is_pending());
        let Poll::Ready(frame) = polled else {
            ready!(self.poll_stalled(cx));
            return Poll::Ready(self.refuse(Fault::BodyStalled, HttpError::ConnectionReadTimeout));
        };
        if let Some(since) = self.waiting.take() {
            self.patience.waited(since.elapsed());
        }
        Poll::Ready(match frame {
            Some(Ok(frame)) => self.pass(frame),
            Some(Err(error)) => {
                tracing::debug!(target: "midge::exchange", %error, "request body");
                self.record.client_gone("the request body was cut short");
                self.record.request_truncated();
                Some(Err(HttpError::ConnectionTerminated))
            }
            None => {
                self.record.request_read();
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

impl<B: Body> RequestBody<B> {
    fn pass(&mut self, frame: Frame<Bytes>) -> Option<Result<Frame<Bytes>, HttpError>> {
        let length = frame.data_ref().map_or(0, |data| data.len() as u64);
        let Some(left) = self.left.checked_sub(length) else {
            return self.refuse(Fault::BodyTooLarge, HttpError::HttpRequestBodySize(None));
        };
        self.left = left;
        self.patience.received(length);
        if self.inner.is_end_stream() {
            self.record.request_read();
        }
        Some(Ok(frame))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn patience(body_rate: u64) -> Patience {
        Patience::new(&Config { body_timeout: 10 * SECOND, body_rate, ..Config::default() })
    }

    #[test]
    fn a_byte_now_and_then_does_not_keep_the_rate() {
        let mut patience = patience(1024);
        for _ in 0..2 {
            patience.waited(9 * SECOND);
            patience.received(1);
        }
        assert!(patience.next() < SECOND / 100, "{:?}", patience.next());
    }

    #[test]
    fn a_client_that_keeps_the_rate_is_not_refused() {
        let mut patience = patience(1024);
        for _ in 0..1000 {
            patience.waited(9 * SECOND);
            patience.received(9 << 10);
        }
        assert!(patience.next() > 9 * SECOND, "{:?}", patience.next());
        patience.received(1 << 40);
        assert_eq!(patience.next(), 10 * SECOND, "but never longer than one pause");
    }

    #[test]
    fn without_a_rate_only_the_pause_counts() {
        let mut patience = patience(0);
        patience.waited(1000 * SECOND);
        assert_eq!(patience.next(), 10 * SECOND);
    }
}
