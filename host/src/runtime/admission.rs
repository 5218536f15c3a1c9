//! Admission control: limits on exchanges, body bytes and memory, for the host and for each client.
//!
//! Exchanges never queue. What does not fit is refused with a 503 before a guest is called.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicUsize, Ordering},
    },
};

use super::memory_total;
use crate::{config::Config, telemetry::fault::Fault};

/// One client may hold all but this part of what the host has, so that it cannot shut out the others.
const LEFT_TO_OTHERS: usize = 4;

/// What all clients hold.
pub(crate) struct Admission {
    exchanges: Quota,
    bodies: Quota,
    memory: Quota,
    peers: Mutex<HashMap<IpAddr, Weak<Peer>>>,
}

impl Admission {
    pub(crate) fn new(config: &Config) -> Arc<Self> {
        Arc::new(Self {
            exchanges: Quota::new(config.max_exchanges as usize),
            bodies: Quota::new(to_usize(config.body_buffer)),
            memory: Quota::new(to_usize(memory_total::limit(config))),
            peers: Mutex::default(),
        })
    }

    /// Returns the client at an address.
    pub(crate) fn peer(self: &Arc<Self>, addr: IpAddr) -> Arc<Peer> {
        let addr = network(addr);
        let mut peers = self.peers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(peer) = peers.get(&addr).and_then(Weak::upgrade) {
            return peer;
        }
        // Here and not when a peer is dropped, which may happen on any thread.
        peers.retain(|_, peer| peer.strong_count() > 0);
        let peer = Arc::new(Peer {
            exchanges: self.exchanges.share(),
            bodies: self.bodies.share(),
            memory: self.memory.share(),
            admission: Arc::clone(self),
        });
        peers.insert(addr, Arc::downgrade(&peer));
        peer
    }

    /// Returns how many exchanges have a permit.
    pub(crate) fn exchanges(&self) -> usize {
        self.exchanges.used()
    }

    /// Takes memory for a guest, of one client or of several.
    pub(super) fn take_memory(&self, peer: Option<&Peer>, bytes: usize) -> Result<(), Fault> {
        if peer.is_some_and(|peer| !peer.memory.try_take(bytes)) {
            return Err(Fault::Overloaded("this client has its share of `memory_total`"));
        }
        if !self.memory.try_take(bytes) {
            peer.inspect(|peer| peer.memory.give_back(bytes));
            return Err(Fault::Overloaded("`memory_total` is used up"));
        }
        Ok(())
    }

    /// Gives back memory of a guest.
    pub(super) fn give_back_memory(&self, peer: Option<&Peer>, bytes: usize) {
        self.memory.give_back(bytes);
        peer.inspect(|peer| peer.memory.give_back(bytes));
    }
}

/// Returns the identity of a client: its IPv4 address, or its IPv6 network of 64 bits, since a client may
/// use every address of that.
fn network(addr: IpAddr) -> IpAddr {
    match addr.to_canonical() {
        IpAddr::V6(addr) => {
            let prefix = addr.to_bits() & !u128::from(u64::MAX);
            IpAddr::V6(Ipv6Addr::from_bits(prefix))
        }
        addr => addr,
    }
}

/// One client, with all its connections.
pub(crate) struct Peer {
    exchanges: Quota,
    bodies: Quota,
    memory: Quota,
    admission: Arc<Admission>,
}

impl Peer {
    /// Takes a permit to run a guest. Fails if all permits are taken, or the clients hold too many
    /// bytes of responses that they do not receive.
    pub(crate) fn permit(self: &Arc<Self>) -> Result<ExchangePermit, Fault> {
        let host = &self.admission;
        if self.bodies.is_exceeded() || host.bodies.is_exceeded() {
            return Err(Fault::Overloaded(
                "clients do not receive their responses: `body_buffer` is full",
            ));
        }
        if !self.exchanges.try_take(1) {
            return Err(Fault::Overloaded("this client has its share of `max_exchanges`"));
        }
        if !host.exchanges.try_take(1) {
            self.exchanges.give_back(1);
            return Err(Fault::Overloaded("`max_exchanges` are running"));
        }
        Ok(ExchangePermit(Arc::clone(self)))
    }

    /// Returns a share of the bytes that the host may hold. It is empty at first.
    pub(crate) fn body_share(self: &Arc<Self>) -> BodyShare {
        BodyShare { peer: Arc::clone(self), bytes: 0, within: 0 }
    }
}

/// The right to run a guest, until it is dropped.
pub(crate) struct ExchangePermit(Arc<Peer>);

impl ExchangePermit {
    /// Returns the client that has the permit.
    pub(super) fn peer(&self) -> &Arc<Peer> {
        &self.0
    }
}

impl Drop for ExchangePermit {
    fn drop(&mut self) {
        self.0.admission.exchanges.give_back(1);
        self.0.exchanges.give_back(1);
    }
}

/// The bytes of one body that the host holds, until it is dropped.
pub(crate) struct BodyShare {
    peer: Arc<Peer>,
    bytes: usize,
    /// Those within the limit of the client. Others do not count for the host, so that they do not take
    /// the room of other clients.
    within: usize,
}

impl BodyShare {
    /// Takes bytes of a request body, or fails if too many are held already.
    pub(crate) fn grow(&mut self, bytes: usize) -> Result<(), Fault> {
        let host = &self.peer.admission;
        let quotas = [
            (&self.peer.bodies, "this client has its share of `body_buffer`"),
            (&host.bodies, "`body_buffer` is full"),
            (&self.peer.memory, "this client has its share of `memory_total`"),
            (&host.memory, "`memory_total` is used up"),
        ];
        for (taken, (quota, cause)) in quotas.iter().enumerate() {
            if !quota.try_take(bytes) {
                quotas[..taken].iter().for_each(|(quota, _)| quota.give_back(bytes));
                return Err(Fault::Overloaded(cause));
            }
        }
        self.bytes += bytes;
        self.within += bytes;
        Ok(())
    }

    /// Takes bytes of a response body. A response is not refused after its guest has run; when too
    /// many bytes are held, further exchanges of this client are.
    pub(crate) fn hold(&mut self, bytes: usize) {
        let (peer, host) = (&self.peer, &self.peer.admission);
        let before = peer.bodies.take(bytes);
        let within = peer.bodies.limit.saturating_sub(before).min(bytes);
        host.bodies.take(within);
        for quota in [&peer.memory, &host.memory] {
            quota.take(bytes);
        }
        self.bytes += bytes;
        self.within += within;
    }
}

impl Drop for BodyShare {
    fn drop(&mut self) {
        let (peer, host) = (&self.peer, &self.peer.admission);
        host.bodies.give_back(self.within);
        for quota in [&peer.bodies, &peer.memory, &host.memory] {
            quota.give_back(self.bytes);
        }
    }
}

/// A counter with an upper bound.
struct Quota {
    used: AtomicUsize,
    limit: usize,
}

impl Quota {
    fn new(limit: usize) -> Self {
        Self { used: AtomicUsize::new(0), limit }
    }

    /// Creates the quota of one client.
    fn share(&self) -> Self {
        Self::new(self.limit - self.limit / LEFT_TO_OTHERS)
    }

    fn try_take(&self, count: usize) -> bool {
        let more = |used: usize| used.checked_add(count).filter(|used| *used <= self.limit);
        self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).is_ok()
    }

    /// Takes more than there may be, if need be. Returns what was used before.
    fn take(&self, count: usize) -> usize {
        self.used.fetch_add(count, Ordering::Relaxed)
    }

    fn give_back(&self, count: usize) {
        self.used.fetch_sub(count, Ordering::Relaxed);
    }

    fn used(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }

    fn is_exceeded(&self) -> bool {
        self.used() > self.limit
    }
}

fn to_usize(bytes: u64) -> usize {
    usize::try_from(bytes).unwrap_or(usize::MAX)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn admission() -> Arc<Admission> {
        let total = Some(1000);
        let config =
            Config { max_exchanges: 8, body_buffer: 100, memory_total: total, ..Config::default() };
        Admission::new(&config)
    }

    fn peer(admission: &Arc<Admission>, last: u8) -> Arc<Peer> {
        admission.peer(IpAddr::V4(Ipv4Addr::new(192, 0, 2, last)))
    }

    #[test]
    fn one_client_does_not_get_all_permits() {
        let admission = admission();
        let (greedy, other) = (peer(&admission, 1), peer(&admission, 2));
        let permits: Vec<_> = (0..8).map_while(|_| greedy.permit().ok()).collect();
        assert_eq!(permits.len(), 6);
        let others: Vec<_> = (0..8).map_while(|_| other.permit().ok()).collect();
        assert_eq!(others.len(), 2, "the rest");
        drop((permits, others));
        assert_eq!((admission.exchanges(), greedy.exchanges.used()), (0, 0));
    }

    #[test]
    fn a_body_that_does_not_fit_takes_nothing() {
        let admission = admission();
        let (greedy, other) = (peer(&admission, 1), peer(&admission, 2));
        let mut share = greedy.body_share();
        assert_eq!(share.grow(70), Ok(()));
        assert!(share.grow(10).is_err(), "three quarters are its share");
        assert!(other.body_share().grow(31).is_err(), "all have 100");
        assert_eq!(other.body_share().grow(30), Ok(()));
        drop(share);
        for quota in [&greedy.bodies, &other.bodies, &admission.bodies, &admission.memory] {
            assert_eq!(quota.used(), 0);
        }
    }

    #[test]
    fn a_client_that_does_not_receive_gets_no_more_exchanges() {
        let admission = admission();
        let (idle, other) = (peer(&admission, 1), peer(&admission, 2));
        let mut share = idle.body_share();
        share.hold(200);
        assert!(idle.permit().is_err());
        assert!(other.permit().is_ok());
        assert_eq!(other.body_share().grow(25), Ok(()), "the rest");
        drop(share);
        assert!(idle.permit().is_ok());
        assert_eq!((admission.bodies.used(), admission.memory.used()), (0, 0));
    }

    #[test]
    fn a_client_is_known_by_its_network() {
        let admission = admission();
        let peer = |addr: &str| admission.peer(addr.parse().unwrap());
        assert!(Arc::ptr_eq(&peer("192.0.2.1"), &peer("::ffff:192.0.2.1")));
        let first = peer("2001:db8::1");
        assert!(Arc::ptr_eq(&first, &peer("2001:db8::2")));
        assert!(!Arc::ptr_eq(&first, &peer("2001:db8:0:1::1")));
        assert_eq!(admission.peers.lock().unwrap().len(), 2, "those that are gone are forgotten");
    }
}
