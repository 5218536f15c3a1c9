//! The open connections of a server, whose number is limited.

use std::{
    collections::HashMap,
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{sync::Notify, time::timeout};
use tokio_util::sync::CancellationToken;

use crate::telemetry::liveness::Liveness;

/// How often a server with too many connections looks for one that has become idle.
const RETRY: Duration = Duration::from_millis(50);

/// The open connections. When there are too many, the one that has been idle for longest is closed for a
/// new client.
pub(super) struct Connections {
    limit: usize,
    open: Mutex<Open>,
    /// Notified when a connection is closed.
    closed: Notify,
}

#[derive(Default)]
struct Open {
    next: u64,
    connections: HashMap<u64, Connection>,
}

struct Connection {
    liveness: Arc<Liveness>,
    evicted: CancellationToken,
}

/// The place of one connection, until it is dropped.
pub(super) struct Place {
    connections: Arc<Connections>,
    number: u64,
    pub(super) liveness: Arc<Liveness>,
    /// Cancelled when another client gets the place.
    pub(super) evicted: CancellationToken,
}

impl Connections {
    pub(super) fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self { limit, open: Mutex::default(), closed: Notify::new() })
    }

    /// Takes a place, and waits for one if all connections have an exchange.
    pub(super) async fn take_place(self: &Arc<Self>) -> Place {
        loop {
            let mut closed = pin!(self.closed.notified());
            // Registered before the check, so that no notification is missed.
            closed.as_mut().enable();
            if let Some(place) = self.try_take_place() {
                return place;
            }
            self.evict_longest_idle();
            // Also looks again when none was closed: another one may have become idle.
            let _ = timeout(RETRY, closed).await;
        }
    }

    /// Takes a place if there is one.
    pub(super) fn try_take_place(self: &Arc<Self>) -> Option<Place> {
        let mut open = self.open();
        if open.connections.len() >= self.limit {
            return None;
        }
        let number = open.next;
        open.next += 1;
        let (liveness, evicted) = (Liveness::new(), CancellationToken::new());
        let connection = Connection { liveness: Arc::clone(&liveness), evicted: evicted.clone() };
        open.connections.insert(number, connection);
        Some(Place { connections: Arc::clone(self), number, liveness, evicted })
    }

    /// Closes the connection that has been without an exchange for longest, or else the one that has been
    /// receiving a request for longest. Does nothing while another one is being closed.
    pub(super) fn evict_longest_idle(&self) {
        let open = self.open();
        let is_closing = |connection: &Connection| {
            connection.evicted.is_cancelled() && connection.liveness.idle_since().is_some()
        };
        if open.connections.values().any(is_closing) {
            return;
        }
        let idle =
            open.connections.values().filter(|connection| !connection.evicted.is_cancelled());
        let idle =
            idle.filter_map(|connection| Some((connection.liveness.idle_since()?, connection)));
        if let Some((_, connection)) = idle.min_by_key(|(since, _)| *since) {
            connection.evicted.cancel();
        }
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.connections.open().connections.remove(&self.number);
        self.connections.closed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_longest_idle_connection_makes_room() {
        let connections = Connections::new(2);
        let first = connections.take_place().await;
        tokio::time::sleep(Duration::from_millis(5)).await;
        let second = connections.take_place().await;
        let waiting = tokio::spawn({
            let connections = Arc::clone(&connections);
            async move { connections.take_place().await }
        });
        first.evicted.cancelled().await;
        assert!(!second.evicted.is_cancelled());
        drop(first);
        assert!(waiting.await.is_ok());
    }
}
