//! State that all exchanges of a host share: configuration, grants, permits and gauges.

use std::sync::{
    Arc,
    atomic::{AtomicU64, AtomicUsize, Ordering},
};

use super::{admission::Admission, grants::Grants};
use crate::{
    config::{Config, InvalidSetting},
    error::HostError,
};

/// Configuration, grants, permits and gauges of a host.
pub(crate) struct HostState {
    config: Config,
    grants: Grants,
    admission: Arc<Admission>,
    exchanges: AtomicU64,
    receiving: Gauge,
    instances: Gauge,
    sockets: Gauge,
}

/// Resources that a host holds at the moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gauges {
    /// Requests whose body has not arrived yet.
    pub receiving: usize,
    /// Live instances of guests.
    pub instances: usize,
    /// Permits for exchanges that are taken, each by a guest that runs.
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
        let admission = Admission::new(&config);
        let grants = Grants::new(&config, &admission)?;
        Ok(Self {
            config,
            grants,
            admission,
            exchanges: AtomicU64::new(0),
            receiving: Gauge::default(),
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
        Gauges {
            receiving: self.receiving.count(),
            instances: self.instances.count(),
            permits: self.admission.exchanges(),
            sockets: self.sockets.count(),
        }
    }

    /// Returns the number of the next exchange.
    pub(crate) fn next_exchange(&self) -> u64 {
        self.exchanges.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Returns what limits the clients.
    pub(crate) fn admission(&self) -> &Arc<Admission> {
        &self.admission
    }

    /// Counts a request that is being received until the guard is dropped.
    pub(crate) fn count_receiving(&self) -> GaugeGuard {
        self.receiving.enter()
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
