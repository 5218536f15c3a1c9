//! What all exchanges of a host share: engine, configuration, permits and gauges.

use std::{
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use wasmtime::{
    Engine,
    component::{InstancePre, Linker},
};

use crate::{
    Config, Guest, HostError,
    runtime::{
        component, engine, p3,
        store::{Grants, State},
    },
};

/// A place where guests live. Cheap to clone: all clones are one host.
#[derive(Clone)]
pub struct Host {
    inner: Arc<Inner>,
}

struct Inner {
    engine: Engine,
    linker: Linker<State>,
    /// For guests of WASI 0.3; made when the first of them is loaded.
    p3: Mutex<Option<Arc<p3::World>>>,
    config: Config,
    grants: Grants,
    permits: Arc<Semaphore>,
    exchanges: AtomicU64,
    instances: Gauge,
    sockets: Gauge,
}

/// What a host holds at this moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gauges {
    /// Instances of guests that are alive.
    pub instances: usize,
    /// Permits for exchanges that are taken.
    pub permits: usize,
    /// Client connections that are open.
    pub sockets: usize,
}

impl Host {
    /// Starts a host: its engine, and the thread that interrupts its guests.
    ///
    /// # Errors
    ///
    /// [`HostError::Setting`] or [`HostError::Engine`] when `config` cannot be honoured.
    pub fn new(config: Config) -> Result<Self, HostError> {
        config.check()?;
        let grants = Grants::new(&config)?;
        let engine = engine::start(&config)?;
        let linker = component::linker(&engine)?;
        let permits = Arc::new(Semaphore::new(config.max_exchanges as usize));
        let inner = Inner {
            engine,
            linker,
            p3: Mutex::default(),
            config,
            grants,
            permits,
            exchanges: AtomicU64::new(0),
            instances: Gauge::default(),
            sockets: Gauge::default(),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Loads a component: compiles it (or finds it in the cache) and links it.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, is not a component, does not compile, imports what the host
    /// does not offer, or does not handle HTTP requests.
    pub fn load(&self, path: impl AsRef<Path>) -> Result<Guest, HostError> {
        Guest::load(&self.inner.engine, &self.inner.linker, || self.p3(), path.as_ref())
    }

    fn p3(&self) -> Result<Arc<p3::World>, HostError> {
        let mut world = self.inner.p3.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(world) = &*world {
            return Ok(Arc::clone(world));
        }
        Ok(Arc::clone(world.insert(Arc::new(p3::World::start(&self.inner.config)?))))
    }

    /// Compiles and links a component as it is, whatever it exports.
    pub(crate) fn link(&self, path: &Path, bytes: &[u8]) -> Result<InstancePre<State>, HostError> {
        match p3::handler(bytes) {
            Some(_) => self.p3()?.link(path, bytes),
            None => component::link(&self.inner.engine, &self.inner.linker, path, bytes),
        }
    }

    /// What is alive right now.
    pub fn gauges(&self) -> Gauges {
        let taken = self.inner.config.max_exchanges as usize;
        Gauges {
            instances: self.inner.instances.count(),
            permits: taken.saturating_sub(self.inner.permits.available_permits()),
            sockets: self.inner.sockets.count(),
        }
    }

    /// The configuration this host runs with.
    pub fn config(&self) -> &Config {
        &self.inner.config
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.inner.engine
    }

    pub(crate) fn grants(&self) -> &Grants {
        &self.inner.grants
    }

    /// The number of the next exchange.
    pub(crate) fn next_exchange(&self) -> u64 {
        self.inner.exchanges.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Leave for one more exchange, unless all are taken: an exchange never queues.
    pub(crate) fn permit(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.inner.permits).try_acquire_owned().ok()
    }

    pub(crate) fn count_instance(&self) -> Counted {
        self.inner.instances.enter()
    }

    pub(crate) fn count_socket(&self) -> Counted {
        self.inner.sockets.enter()
    }
}

impl std::fmt::Debug for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Host")
            .field("config", self.config())
            .field("gauges", &self.gauges())
            .finish_non_exhaustive()
    }
}

#[derive(Clone, Default)]
struct Gauge(Arc<AtomicUsize>);

impl Gauge {
    fn enter(&self) -> Counted {
        self.0.fetch_add(1, Ordering::Relaxed);
        Counted(self.clone())
    }

    fn count(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

/// Counts on its gauge for as long as it lives.
pub(crate) struct Counted(Gauge);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}
