//! Detection of HTTP/2 responses that their client does not receive.
//!
//! Over HTTP/1.1 a client that does not read blocks its socket. Over HTTP/2 the socket stays writable
//! and pings are answered, while the client opens no flow-control window.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use crate::config::Config;

/// Bytes that a connection must send within `write_timeout` to count as making progress. Frames that
/// concern only the connection itself are fewer.
const MIN_PROGRESS: u64 = 1 << 10;

/// The responses of a connection of which a piece is waiting. Times are in milliseconds.
#[derive(Default)]
pub(crate) struct StallDetector(Mutex<Vec<Waiting>>);

struct Waiting {
    exchange: u64,
    since: u64,
    /// When progress was last checked, and how much the connection had sent then.
    checked: u64,
    sent: u64,
}

impl StallDetector {
    /// A piece of a response is waiting since `now`. `sent`: what the connection has sent so far.
    pub(super) fn wait(&self, exchange: u64, now: u64, sent: u64) {
        let mut all = self.all();
        all.retain(|waiting| waiting.exchange != exchange);
        all.push(Waiting { exchange, since: now, checked: now, sent });
    }

    /// No piece of a response is waiting any more.
    pub(super) fn received(&self, exchange: u64) {
        self.all().retain(|waiting| waiting.exchange != exchange);
    }

    /// Whether a response has been waiting for too long.
    pub(super) fn is_stalled(&self, now: u64, sent: u64, config: &Config) -> bool {
        let age = |then: u64| Duration::from_millis(now.saturating_sub(then));
        self.all().iter_mut().any(|waiting| {
            if age(waiting.since) >= config.exchange_timeout {
                return true;
            }
            if age(waiting.checked) < config.write_timeout {
                return false;
            }
            let is_progress = sent.saturating_sub(waiting.sent) >= MIN_PROGRESS;
            (waiting.checked, waiting.sent) = (now, sent);
            !is_progress
        })
    }

    fn all(&self) -> MutexGuard<'_, Vec<Waiting>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The default is 30 s for a write, 60 s for an exchange.
    fn is_stalled(detector: &StallDetector, now: u64, sent: u64) -> bool {
        detector.is_stalled(now, sent, &Config::default())
    }

    #[test]
    fn a_response_stalls_after_the_write_timeout() {
        let detector = StallDetector::default();
        detector.wait(1, 1000, 0);
        assert!(!is_stalled(&detector, 30_000, 0));
        assert!(is_stalled(&detector, 31_000, 100), "pings are not progress");
    }

    #[test]
    fn a_slow_connection_is_not_stalled() {
        let detector = StallDetector::default();
        detector.wait(1, 1000, 0);
        assert!(!is_stalled(&detector, 31_000, 5000));
        assert!(is_stalled(&detector, 61_000, 1 << 30), "but not beyond the exchange timeout");
    }

    #[test]
    fn a_received_response_does_not_stall() {
        let detector = StallDetector::default();
        detector.wait(1, 1000, 0);
        detector.wait(2, 20_000, 0);
        detector.received(1);
        assert!(!is_stalled(&detector, 40_000, 0));
        assert!(is_stalled(&detector, 50_000, 0));
    }
}
