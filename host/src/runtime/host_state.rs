//! State that all exchanges of a host share: configuration, grants, permits and gauges.

use std::sync::{
    Arc,
    atomic::{AtomicU64, AtomicUsize, Ordering},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::grants::Grants;
use crate::{
    config::{Config, InvalidSetting},
    error::HostError,
};

/// Configuration, grants, permits and gauges of a host.
pub(crate) struct HostState {
    config: Config,
    grants: Grants,
    permits: Arc<Semaphore>,
    exchanges: AtomicU64,
    instances: Gauge,
    sockets: Gauge,
}

/// Resources that a host holds at the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gauges {
    /// Live instances of guests.
    pub instances: usize,
    /// Permits for exchanges that are taken.
    pub permits: usize,
    /// Open client connections.
    pub sockets: usize,
}

impl HostState {
    /// Checks the configuration and resolves its grants.
    pub(crate) fn new(config: Config) -> Result<Self, HostError> {
        config
            .check()
            .map_err(|InvalidSetting { name, reason }| HostError::Setting { name, reason })?;
        let grants = Grants::new(&config)?;
        let permits = Arc::new(Semaphore::new(config.max_exchanges as usize));
        Ok(Self {
            config,
            grants,
            permits,
            exchanges: AtomicU64::new(0),
            instances: Gauge::default(),
            sockets: Gauge::default(),
        })
    }

    pub(crate) fn config(&self) -> &Config {
        &self.config
    }

    pub(crate) fn grants(&self) -> &Grants {
        &self.grants
    }

    pub(crate) fn gauges(&self) -> Gauges {
        let permits = self.config.max_exchanges as usize;
        Gauges {
            instances: self.instances.count(),
            permits: permits.saturating_sub(self.permits.available_permits()),
            sockets: self.sockets.count(),
        }
    }

    /// Returns the number of the next exchange.
    pub(crate) fn next_exchange(&self) -> u64 {
        self.exchanges.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Takes a permit for one exchange, or returns `None` if all are taken: exchanges never queue.
    pub(crate) fn permit(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.permits).try_acquire_owned().ok()
    }

    /// Counts an instance until the guard is dropped.
    pub(crate) fn count_instance(&self) -> GaugeGuard {
        self.instances.enter()
    }

    /// Counts a client connection until the guard is dropped.
    pub(crate) fn count_socket(&self) -> GaugeGuard {
        self.sockets.enter()
    }
}

#[derive(Clone, Default)]
struct Gauge(Arc<AtomicUsize>);

impl Gauge {
    fn enter(&self) -> GaugeGuard {
        self.0.fetch_add(1, Ordering::Relaxed);
        GaugeGuard(self.clone())
    }

    fn count(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

/// Raises a gauge by one until it is dropped.
pub(crate) struct GaugeGuard(Gauge);

impl Drop for GaugeGuard {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}
