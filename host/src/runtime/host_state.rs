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
    telemetry::fault::Fault,
};

/// Configuration, grants, permits and gauges of a host.
pub(crate) struct HostState {
    config: Config,
    grants: Grants,
    permits: Arc<Semaphore>,
    /// One permit for each byte of `body_buffer`.
    body_buffer: Arc<Semaphore>,
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
    /// Permits for exchanges that are taken: of a guest that runs, or whose response its client has not
    /// received.
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
        let bytes = usize::try_from(config.body_buffer).unwrap_or(usize::MAX);
        let body_buffer = Arc::new(Semaphore::new(bytes.min(Semaphore::MAX_PERMITS)));
        Ok(Self {
            config,
            grants,
            permits,
            body_buffer,
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
        let permits = self.config.max_exchanges as usize;
        Gauges {
            receiving: self.receiving.count(),
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

    /// Returns a share of the bytes that the host holds of request bodies. It is empty at first.
    pub(crate) fn buffer_share(&self) -> BufferShare {
        BufferShare { buffer: Arc::clone(&self.body_buffer), taken: None }
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

/// The bytes of one request body, out of those that the host may hold. Given back when it is dropped.
pub(crate) struct BufferShare {
    buffer: Arc<Semaphore>,
    taken: Option<OwnedSemaphorePermit>,
}

impl BufferShare {
    /// Takes so many more bytes, or fails if the host holds too many already.
    pub(crate) fn grow(&mut self, bytes: usize) -> Result<(), Fault> {
        let bytes = u32::try_from(bytes).map_err(|_| Fault::Overloaded)?;
        let more = Arc::clone(&self.buffer).try_acquire_many_owned(bytes);
        let more = more.map_err(|_| Fault::Overloaded)?;
        match &mut self.taken {
            Some(taken) => taken.merge(more),
            None => self.taken = Some(more),
        }
        Ok(())
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
