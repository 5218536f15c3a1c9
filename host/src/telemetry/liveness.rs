//! Whether a connection is alive: the clients that are too slow are found here.

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

use super::h2_stall::Untaken;
use crate::{config::Config, contract::Outcome};

/// How often a client that has sent more than is being read is looked at.
const GLANCE: Duration = Duration::from_millis(50);
/// For how many glances a guest may leave the rest of a request unread when its client sends no
/// more: one that is busy with something else, and one that waits for the rest.
const BUSY_GLANCES: u32 = 2;
const WAITING_GLANCES: u32 = 20;

/// Why the host closed a connection with an exchange on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Closed {
    /// The client took none of its answer for too long.
    ClientStuck,
    /// The host is shutting down, and the time to drain is over.
    Shutdown,
}

impl Closed {
    pub(crate) fn outcome(self) -> Outcome {
        match self {
            Self::ClientStuck => Outcome::ClientGone,
            Self::Shutdown => Outcome::TimedOut,
        }
    }

    pub(crate) fn cause(self) -> &'static str {
        match self {
            Self::ClientStuck => "the client stopped reading",
            Self::Shutdown => "cut by the shutdown of the host",
        }
    }
}

/// What is to be done about a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Look again then.
    Look(Instant),
    /// It has been idle for long enough.
    CloseIdle,
    /// The client does not send its request, or does not take its answer.
    Cut,
}

/// Times on a connection, in milliseconds since its beginning; zero is never.
pub(crate) struct Pulse {
    begin: Instant,
    exchanges: AtomicUsize,
    /// A head has begun to arrive, and no exchange has come of it yet.
    head_since: AtomicU64,
    idle_since: AtomicU64,
    /// The client takes nothing of what is to be sent.
    stuck_since: AtomicU64,
    /// Bytes that were sent to the client.
    carried: AtomicU64,
    untaken: Untaken,
    /// The request at work is still to be read, or some of it.
    unread: AtomicBool,
    /// It ended before its end; the guest knows, and has its grace.
    request_cut: AtomicBool,
    /// How often the guest has asked for more of it.
    asked: AtomicU64,
    /// There was nothing for it the last time.
    waits: AtomicBool,
    lingers: AtomicBool,
    closed: OnceLock<Closed>,
}

impl Pulse {
    /// A new connection owes a request head.
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            begin: Instant::now(),
            exchanges: AtomicUsize::new(0),
            head_since: AtomicU64::new(1),
            idle_since: AtomicU64::new(0),
            stuck_since: AtomicU64::new(0),
            carried: AtomicU64::new(0),
            untaken: Untaken::default(),
            unread: AtomicBool::new(false),
            request_cut: AtomicBool::new(false),
            asked: AtomicU64::new(0),
            waits: AtomicBool::new(false),
            lingers: AtomicBool::new(false),
            closed: OnceLock::new(),
        })
    }

    fn now(&self) -> u64 {
        u64::try_from(self.begin.elapsed().as_millis()).unwrap_or(u64::MAX).max(1)
    }

    pub(crate) fn exchange_begins(&self) {
        self.exchanges.fetch_add(1, Ordering::Relaxed);
        self.head_since.store(0, Ordering::Relaxed);
        self.unread.store(true, Ordering::Relaxed);
        self.request_cut.store(false, Ordering::Relaxed);
        self.waits.store(false, Ordering::Relaxed);
    }

    /// The guest asks for more of the request, and may have to wait for it.
    pub(crate) fn request_is_asked_for(&self, waits: bool) {
        self.asked.fetch_add(1, Ordering::Relaxed);
        self.waits.store(waits, Ordering::Relaxed);
    }

    pub(crate) fn request_is_cut(&self) {
        self.request_cut.store(true, Ordering::Relaxed);
    }

    pub(crate) fn request_is_read(&self) {
        self.unread.store(false, Ordering::Relaxed);
    }

    pub(crate) fn exchange_ends(&self) {
        self.idle_since.store(self.now(), Ordering::Relaxed);
        self.exchanges.fetch_sub(1, Ordering::Relaxed);
    }

    /// The rest of what the client sends is to be read and dropped before the end.
    pub(crate) fn linger(&self) {
        self.lingers.store(true, Ordering::Relaxed);
    }

    /// Says why the connection is about to be closed.
    pub(crate) fn close(&self, why: Closed) {
        // The first reason is the true one.
        let _ = self.closed.set(why);
    }

    pub(crate) fn closed(&self) -> Option<Closed> {
        self.closed.get().copied()
    }

    /// Whether the client may still be sending: a request of which not all was read, or one that
    /// was refused.
    pub(crate) fn lingers(&self) -> bool {
        self.lingers.load(Ordering::Relaxed) || self.unread.load(Ordering::Relaxed)
    }

    pub(crate) fn received(&self) {
        if self.exchanges.load(Ordering::Relaxed) == 0 {
            let now = self.now();
            // Only the first byte of a head starts its clock.
            let _ = self.head_since.compare_exchange(0, now, Ordering::Relaxed, Ordering::Relaxed);
        }
    }

    /// A piece of an answer waits to be taken, or none does.
    pub(crate) fn waits(&self, exchange: u64, waits: bool) {
        if waits {
            self.untaken.waits(exchange, self.now(), self.carried.load(Ordering::Relaxed));
        } else {
            self.untaken.taken(exchange);
        }
    }

    pub(crate) fn carried(&self, bytes: usize) {
        self.carried.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(crate) fn wrote(&self, stuck: bool) {
        match (stuck, self.stuck_since.load(Ordering::Relaxed)) {
            (true, 0) => self.stuck_since.store(self.now(), Ordering::Relaxed),
            (true, _) | (false, 0) => {}
            (false, _) => self.stuck_since.store(0, Ordering::Relaxed),
        }
    }

    /// Resolves when the client has left in the middle of an exchange.
    ///
    /// hyper finds that out by itself, but for a client whose request is not read, or that has sent
    /// one more: then it does not read until it is done with what it has.
    pub(crate) async fn hangup(&self, socket: &TcpStream) {
        let (mut asked, mut glances) = (0, 0);
        loop {
            let Ok(ready) = socket.ready(Interest::READABLE | Interest::ERROR).await else {
                return;
            };
            let at_work = self.exchanges.load(Ordering::Relaxed) > 0;
            // A reset: nothing can be answered any more, whatever was sent before.
            if ready.is_error() && at_work {
                return;
            }
            let asked_before = std::mem::replace(&mut asked, self.asked.load(Ordering::Relaxed));
            let is_still = ready.is_read_closed() && at_work && asked_before == asked;
            glances = if is_still { glances + 1 } else { 0 };
            if glances > 0 && self.is_abandoned(glances) {
                return;
            }
            sleep(GLANCE).await;
        }
    }

    /// Whether the exchange at work needs nothing more of what a client may have sent before it
    /// closed its side, when its guest has asked for nothing while so many glances were taken.
    ///
    /// A guest that goes on reading comes to the end, or to the cut, and then that is what counts.
    fn is_abandoned(&self, glances: u32) -> bool {
        if !self.unread.load(Ordering::Relaxed) {
            return true;
        }
        let waits = self.waits.load(Ordering::Relaxed);
        let patience = if waits { WAITING_GLANCES } else { BUSY_GLANCES };
        !self.request_cut.load(Ordering::Relaxed) && glances > patience
    }

    /// What the limits of `config` ask for at this moment.
    pub(crate) fn next(&self, config: &Config) -> Next {
        let stuck = self.stuck_since.load(Ordering::Relaxed);
        let head = self.head_since.load(Ordering::Relaxed);
        let (since, limit, then) = if stuck > 0 {
            (stuck, config.write_timeout, Next::Cut)
        } else if self.exchanges.load(Ordering::Relaxed) > 0 {
            if self.untaken.is_stuck(self.now(), self.carried.load(Ordering::Relaxed), config) {
                return Next::Cut;
            }
            // The exchange has a limit of its own; come back for what follows it.
            return Next::Look(Instant::now() + pause(config));
        } else if head > 0 {
            (head, config.head_timeout, Next::Cut)
        } else {
            (self.idle_since.load(Ordering::Relaxed), config.keep_alive, Next::CloseIdle)
        };
        let now = Instant::now();
        let due = self.begin + Duration::from_millis(since) + limit;
        // What is due may change before, and to something that is due earlier.
        if due > now { Next::Look(due.min(now + pause(config))) } else { then }
    }
}

/// How long a connection may be left alone: as long as the shortest of its limits.
pub(crate) fn pause(config: &Config) -> Duration {
    let shortest = config.head_timeout.min(config.write_timeout).min(config.keep_alive);
    shortest.max(Duration::from_millis(10))
}

#[cfg(test)]
#[allow(clippy::panic, reason = "a test may panic")]
mod tests {
    use super::*;

    /// The shortest limit may begin to run right after a look.
    #[test]
    fn a_long_limit_does_not_hide_a_short_one() {
        let config = Config { write_timeout: Duration::from_millis(300), ..Config::default() };
        let Next::Look(when) = Pulse::new().next(&config) else { panic!("nothing is due") };
        assert!(when <= Instant::now() + config.write_timeout);
    }
}
