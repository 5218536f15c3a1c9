//! How slowly a client may send its request body.

use std::time::Duration;

use crate::config::Config;

/// The time that the host still waits for a request body.
pub(super) struct Pace {
    /// The longest pause.
    pause: Duration,
    /// The time left for all pauses together. Each byte adds to it.
    rest: Duration,
    /// The time that one byte adds.
    per_byte: Duration,
}

impl Pace {
    pub(super) fn new(config: &Config) -> Self {
        let pause = config.body_timeout;
        match u32::try_from(config.body_rate) {
            // Any rate is accepted.
            Ok(0) => Self { pause, rest: Duration::MAX, per_byte: Duration::ZERO },
            Ok(rate) => Self { pause, rest: pause, per_byte: Duration::from_secs(1) / rate },
            Err(_) => Self { pause, rest: pause, per_byte: Duration::ZERO },
        }
    }

    /// Returns how long the next pause may take.
    pub(super) fn next(&self) -> Duration {
        self.pause.min(self.rest)
    }

    /// The host has waited.
    pub(super) fn waited(&mut self, time: Duration) {
        self.rest = self.rest.saturating_sub(time);
    }

    /// Bytes have arrived.
    pub(super) fn received(&mut self, bytes: usize) {
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        self.rest = self.rest.saturating_add(self.per_byte.saturating_mul(bytes));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn pace(body_rate: u64) -> Pace {
        Pace::new(&Config { body_timeout: 10 * SECOND, body_rate, ..Config::default() })
    }

    #[test]
    fn a_byte_now_and_then_does_not_keep_the_rate() {
        let mut pace = pace(1024);
        for _ in 0..2 {
            pace.waited(9 * SECOND);
            pace.received(1);
        }
        assert!(pace.next() < SECOND / 100, "{:?}", pace.next());
    }

    #[test]
    fn a_client_that_keeps_the_rate_is_not_refused() {
        let mut pace = pace(1024);
        for _ in 0..1000 {
            pace.waited(9 * SECOND);
            pace.received(9 << 10);
        }
        assert!(pace.next() > 9 * SECOND, "{:?}", pace.next());
        pace.received(1 << 40);
        assert_eq!(pace.next(), 10 * SECOND, "but never longer than one pause");
    }

    #[test]
    fn without_a_rate_only_the_pause_counts() {
        let mut pace = pace(0);
        pace.waited(1000 * SECOND);
        assert_eq!(pace.next(), 10 * SECOND);
    }
}
