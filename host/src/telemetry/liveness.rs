//! Liveness of a connection: finds clients that are idle, too slow, or have disconnected.

use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::Interest,
    net::TcpStream,
    time::{Instant, sleep},
};

use super::h2_stall::StallDetector;
use midge_contract::Outcome;

use crate::config::Config;

/// How often a socket with unread bytes is polled for a disconnect.
const POLL_INTERVAL: Duration = Duration::from_millis(50);
/// How long an idle HTTP/1 connection is kept open during a shutdown: a request may be on its way.
const DRAIN_GRACE: Duration = Duration::from_secs(1);

/// Why the host has closed a connection with an exchange on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CloseReason {
    /// The client received nothing of its response for too long.
    ClientStalled,
    /// The host is shutting down, and the time to drain is over.
    Shutdown,
    /// All connections were taken, and the client had not sent its request yet.
    Evicted,
}

impl CloseReason {
    pub(super) fn outcome(self) -> Outcome {
        match self {
            Self::ClientStalled => Outcome::ClientGone,
            Self::Shutdown => Outcome::TimedOut,
            Self::Evicted => Outcome::Overloaded,
        }
    }

    pub(super) fn cause(self) -> &'static str {
        match self {
            Self::ClientStalled => "the client stopped reading",
            Self::Shutdown => "cut by the shutdown of the host",
            Self::Evicted => "`max_connections` are open, and another client got this one's place",
        }
    }
}

/// What a check of a connection asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Check {
    /// Check again at this time.
    Again(Instant),
    /// Close the connection: it has been idle for too long.
    CloseIdle,
    /// Abort the connection: the client does not send its request, or does not receive its response.
    Abort,
}

/// What is known of a connection. Times are in milliseconds since it was accepted; zero is never.
pub(crate) struct Liveness {
    accepted: Instant,
    /// Exchanges that run.
    exchanges: AtomicUsize,
    /// Those of them whose request has not arrived yet.
    receiving: AtomicUsize,
    /// When a head began to arrive of which no exchange has come yet.
    head_since: AtomicU64,
    idle_since: AtomicU64,
    /// Since when the client receives nothing of what is to be sent.
    blocked_since: AtomicU64,
    /// Bytes that were sent to the client.
    sent: AtomicU64,
    stalls: StallDetector,
    /// Whether some of the current request is still to be read.
    is_unread: AtomicBool,
    lingers: AtomicBool,
    /// Whether bytes have arrived.
    has_begun: AtomicBool,
    is_http2: AtomicBool,
    /// Since when the server is shutting down.
    draining_since: AtomicU64,
    close_reason: OnceLock<CloseReason>,
}

impl Liveness {
    /// Starts with the timeout of the first request head.
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            accepted: Instant::now(),
            exchanges: AtomicUsize::new(0),
            receiving: AtomicUsize::new(0),
            head_since: AtomicU64::new(1),
            idle_since: AtomicU64::new(0),
            blocked_since: AtomicU64::new(0),
            sent: AtomicU64::new(0),
            stalls: StallDetector::default(),
            is_unread: AtomicBool::new(false),
            lingers: AtomicBool::new(false),
            has_begun: AtomicBool::new(false),
            is_http2: AtomicBool::new(false),
            draining_since: AtomicU64::new(0),
            close_reason: OnceLock::new(),
        })
    }

    fn now(&self) -> u64 {
        u64::try_from(self.accepted.elapsed().as_millis()).unwrap_or(u64::MAX).max(1)
    }

    pub(super) fn begin_exchange(&self) {
        self.exchanges.fetch_add(1, Ordering::Relaxed);
        self.receiving.fetch_add(1, Ordering::Relaxed);
        self.head_since.store(0, Ordering::Relaxed);
        self.is_unread.store(true, Ordering::Relaxed);
    }

    pub(super) fn end_exchange(&self) {
        self.idle_since.store(self.now(), Ordering::Relaxed);
        self.exchanges.fetch_sub(1, Ordering::Relaxed);
    }

    /// The body of an exchange is received no more.
    pub(super) fn end_receiving(&self) {
        self.receiving.fetch_sub(1, Ordering::Relaxed);
    }

    pub(super) fn request_read(&self) {
        self.is_unread.store(false, Ordering::Relaxed);
    }

    /// Has the rest of what the client sends read and dropped before the connection is closed.
    pub(crate) fn linger(&self) {
        self.lingers.store(true, Ordering::Relaxed);
    }

    /// Whether the client may still be sending: a request that was not read to its end, or one that
    /// was refused.
    pub(crate) fn lingers(&self) -> bool {
        self.lingers.load(Ordering::Relaxed) || self.is_unread.load(Ordering::Relaxed)
    }

    /// Returns whether the connection is receiving a request, and since when it has had no other
    /// exchange. `None` if it has one.
    pub(crate) fn idle_since(&self) -> Option<(bool, Instant)> {
        let exchanges = self.exchanges.load(Ordering::Relaxed);
        let is_receiving = exchanges > 0;
        let has_other = exchanges > self.receiving.load(Ordering::Relaxed);
        let since = Duration::from_millis(self.idle_since.load(Ordering::Relaxed));
        (!has_other).then(|| (is_receiving, self.accepted + since))
    }

    /// Records why the connection is about to be closed. The first reason wins.
    pub(crate) fn close(&self, reason: CloseReason) {
        let _ = self.close_reason.set(reason);
    }

    pub(super) fn close_reason(&self) -> Option<CloseReason> {
        self.close_reason.get().copied()
    }

    /// The first bytes have arrived, which tell the version of HTTP.
    pub(crate) fn begin(&self, is_http2: bool) {
        self.is_http2.store(is_http2, Ordering::Relaxed);
        self.has_begun.store(true, Ordering::Relaxed);
    }

    /// The server is shutting down.
    pub(crate) fn drain(&self) {
        self.draining_since.store(self.now(), Ordering::Relaxed);
    }

    /// Whether the server is shutting down.
    pub(crate) fn is_draining(&self) -> bool {
        self.draining_since.load(Ordering::Relaxed) > 0
    }

    /// Returns the time at which a connection of a server that is shutting down can be closed without
    /// losing a request, unless more arrives until then. HTTP/2 tells the client which requests are lost.
    pub(crate) fn closable_at(&self) -> Instant {
        if self.is_http2.load(Ordering::Relaxed) {
            return Instant::now();
        }
        let receives_head =
            self.has_begun.load(Ordering::Relaxed) && self.head_since.load(Ordering::Relaxed) > 0;
        if receives_head || self.exchanges.load(Ordering::Relaxed) > 0 {
            return Instant::now() + DRAIN_GRACE;
        }
        let draining = self.draining_since.load(Ordering::Relaxed);
        let since = draining.max(self.idle_since.load(Ordering::Relaxed));
        self.accepted + Duration::from_millis(since) + DRAIN_GRACE
    }

    /// Bytes have arrived. The first one of a head starts its timeout.
    pub(crate) fn bytes_received(&self) {
        if self.exchanges.load(Ordering::Relaxed) == 0 {
            let now = self.now();
            let _ = self.head_since.compare_exchange(0, now, Ordering::Relaxed, Ordering::Relaxed);
        }
    }

    /// Bytes were sent.
    pub(crate) fn bytes_sent(&self, bytes: usize) {
        self.sent.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// A write has found the socket blocked, or not.
    pub(crate) fn write_polled(&self, is_blocked: bool) {
        match (is_blocked, self.blocked_since.load(Ordering::Relaxed)) {
            (true, 0) => self.blocked_since.store(self.now(), Ordering::Relaxed),
            (true, _) | (false, 0) => {}
            (false, _) => self.blocked_since.store(0, Ordering::Relaxed),
        }
    }

    /// Says whether a piece of an HTTP/2 response is waiting for the client to receive it.
    pub(super) fn response_waits(&self, exchange: u64, waits: bool) {
        if waits {
            self.stalls.wait(exchange, self.now(), self.sent.load(Ordering::Relaxed));
        } else {
            self.stalls.received(exchange);
        }
    }

    /// Resolves when the client has disconnected in the middle of an exchange.
    ///
    /// hyper notices that by itself, except when the client has sent another request: then hyper does not
    /// read before it is done with the first. While a request is being received, hyper reads.
    pub(crate) async fn client_disconnected(&self, socket: &TcpStream) {
        loop {
            let Ok(ready) = socket.ready(Interest::READABLE | Interest::ERROR).await else {
                return;
            };
            let is_running = self.exchanges.load(Ordering::Relaxed) > 0;
            // After a reset no response can be sent, whatever the client has sent before.
            let is_closed = ready.is_read_closed() && !self.is_unread.load(Ordering::Relaxed);
            if is_running && (ready.is_error() || is_closed) {
                return;
            }
            sleep(POLL_INTERVAL).await;
        }
    }

    /// Checks the connection against the limits of `config`.
    pub(crate) fn check(&self, config: &Config) -> Check {
        let blocked = self.blocked_since.load(Ordering::Relaxed);
        let head = self.head_since.load(Ordering::Relaxed);
        let (since, limit, then) = if blocked > 0 {
            (blocked, config.write_timeout, Check::Abort)
        } else if self.exchanges.load(Ordering::Relaxed) > 0 {
            if self.stalls.is_stalled(self.now(), self.sent.load(Ordering::Relaxed), config) {
                return Check::Abort;
            }
            // The exchange has a timeout of its own.
            return Check::Again(Instant::now() + check_interval(config));
        } else if head > 0 {
            (head, config.head_timeout, Check::Abort)
        } else {
            (self.idle_since.load(Ordering::Relaxed), config.keep_alive, Check::CloseIdle)
        };
        let now = Instant::now();
        let due = self.accepted + Duration::from_millis(since) + limit;
        // Another, shorter limit may apply before this one is due.
        if due > now { Check::Again(due.min(now + check_interval(config))) } else { then }
    }
}

/// The longest time between two checks of a connection: the shortest of its limits.
pub(crate) fn check_interval(config: &Config) -> Duration {
    let shortest = config.head_timeout.min(config.write_timeout).min(config.keep_alive);
    shortest.max(Duration::from_millis(10))
}

#[cfg(test)]
#[allow(clippy::panic, reason = "a test may panic")]
mod tests {
    use super::*;

    /// The shortest limit may begin to apply right after a check.
    #[test]
    fn a_long_limit_does_not_hide_a_short_one() {
        let config = Config { write_timeout: Duration::from_millis(300), ..Config::default() };
        let Check::Again(when) = Liveness::new().check(&config) else { panic!("nothing is due") };
        assert!(when <= Instant::now() + config.write_timeout);
    }

    #[test]
    fn a_drain_waits_for_a_request_that_may_be_on_its_way() {
        let is_closable = |liveness: &Liveness| liveness.closable_at() <= Instant::now();
        let (http1, http2) = (Liveness::new(), Liveness::new());
        http2.begin(true);
        http2.drain();
        assert!(is_closable(&http2), "GOAWAY loses none");
        http1.drain();
        assert!(!is_closable(&http1));
        std::thread::sleep(DRAIN_GRACE + Duration::from_millis(10));
        assert!(is_closable(&http1), "none has come");
        http1.begin(false);
        http1.bytes_received();
        assert!(!is_closable(&http1), "a head arrives");
        http1.begin_exchange();
        assert!(!is_closable(&http1), "an exchange runs");
        http1.end_exchange();
        assert!(!is_closable(&http1), "the next request may be on its way");
    }
}
