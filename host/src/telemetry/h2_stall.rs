//! Answers of HTTP/2 that wait for their client to take them.
//!
//! Over HTTP/1.1 a client that takes nothing blocks its socket, and the socket says so. Over HTTP/2
//! the socket may be well, and the client answer every ping, while it opens no window.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use crate::config::Config;

/// Bytes that a connection has to carry in a `write_timeout` to count as going on: frames about
/// the connection itself are fewer.
const LEAST: u64 = 1 << 10;

/// The answers of a connection of which a piece is waiting. Times are in milliseconds.
#[derive(Default)]
pub(crate) struct Untaken(Mutex<Vec<Waiting>>);

struct Waiting {
    exchange: u64,
    since: u64,
    /// When it was last found that the connection goes on, and what it had carried then.
    seen: u64,
    carried: u64,
}

impl Untaken {
    /// A piece of this answer was handed over at `now`, when the connection had carried so much.
    pub(crate) fn waits(&self, exchange: u64, now: u64, carried: u64) {
        let mut all = self.all();
        all.retain(|waiting| waiting.exchange != exchange);
        all.push(Waiting { exchange, since: now, seen: now, carried });
    }

    /// All of this answer that is there was taken.
    pub(crate) fn taken(&self, exchange: u64) {
        self.all().retain(|waiting| waiting.exchange != exchange);
    }

    /// Whether a client has let an answer wait for too long.
    pub(crate) fn is_stuck(&self, now: u64, carried: u64, config: &Config) -> bool {
        let age = |then: u64| Duration::from_millis(now.saturating_sub(then));
        self.all().iter_mut().any(|waiting| {
            if age(waiting.since) >= config.exchange_timeout {
                return true;
            }
            if age(waiting.seen) < config.write_timeout {
                return false;
            }
            let goes_on = carried.saturating_sub(waiting.carried) >= LEAST;
            (waiting.seen, waiting.carried) = (now, carried);
            !goes_on
        })
    }

    fn all(&self) -> MutexGuard<'_, Vec<Waiting>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 30 s to write, 60 s for the exchange.
    fn is_stuck(untaken: &Untaken, now: u64, carried: u64) -> bool {
        untaken.is_stuck(now, carried, &Config::default())
    }

    #[test]
    fn an_answer_waits_for_as_long_as_a_write() {
        let untaken = Untaken::default();
        untaken.waits(1, 1000, 0);
        assert!(!is_stuck(&untaken, 30_000, 0));
        assert!(is_stuck(&untaken, 31_000, 100), "pings are no progress");
    }

    #[test]
    fn a_slow_connection_is_no_stuck_one() {
        let untaken = Untaken::default();
        untaken.waits(1, 1000, 0);
        assert!(!is_stuck(&untaken, 31_000, 5000));
        assert!(is_stuck(&untaken, 61_000, 1 << 30), "though not for ever");
    }

    #[test]
    fn what_is_taken_does_not_wait() {
        let untaken = Untaken::default();
        untaken.waits(1, 1000, 0);
        untaken.waits(2, 20_000, 0);
        untaken.taken(1);
        assert!(!is_stuck(&untaken, 40_000, 0));
        assert!(is_stuck(&untaken, 50_000, 0));
    }
}
