//! The host: engines and linkers, and what all exchanges share.

use std::{
    fmt,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use wasmtime::{
    Engine,
    component::{InstancePre, Linker},
};

use super::{
    component::{Guest, GuestKind},
    engine,
    host_state::{Gauges, HostState},
    linker,
    p2::P2Component,
    p3::{self, P3Engine},
    store::StoreData,
};
use crate::{config::Config, error::HostError, sealing};

/// Loads guests and holds what their exchanges share. Cheap to clone: all clones are one host.
#[derive(Clone)]
pub struct Host {
    loader: Arc<Loader>,
    state: Arc<HostState>,
}

/// Engines and linkers.
struct Loader {
    engine: Engine,
    linker: Linker<StoreData>,
    /// For guests of WASI 0.3; started when the first of them is loaded.
    p3: Mutex<Option<Arc<P3Engine>>>,
}

impl Host {
    /// Starts a host: its engine, and the thread that interrupts its guests.
    ///
    /// # Errors
    ///
    /// [`HostError::Setting`] or [`HostError::Engine`] when `config` cannot be honoured.
    pub fn new(config: Config) -> Result<Self, HostError> {
        let state = HostState::new(config)?;
        let engine = engine::start(state.config())?;
        let linker = linker::linker(&engine)?;
        let loader = Loader { engine, linker, p3: Mutex::default() };
        Ok(Self { loader: Arc::new(loader), state: Arc::new(state) })
    }

    /// Loads a component: compiles it (or finds it in the cache) and links it.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, is not a component, does not compile, imports what the host
    /// does not offer, or does not handle HTTP requests.
    pub fn load(&self, path: impl AsRef<Path>) -> Result<Guest, HostError> {
        let path = path.as_ref();
        let bytes = linker::read(path)?;
        let kind = match p3::handler_name(&bytes) {
            Some(handler) => GuestKind::P3(Arc::new(self.p3()?.load(path, &bytes, handler)?)),
            None => {
                GuestKind::P2(Arc::new(P2Component::new(self.link(path, &bytes)?, path, &bytes)?))
            }
        };
        Ok(Guest::new(kind, sealing::seals(&bytes)))
    }

    fn p3(&self) -> Result<Arc<P3Engine>, HostError> {
        let mut p3 = self.loader.p3.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(engine) = &*p3 {
            return Ok(Arc::clone(engine));
        }
        Ok(Arc::clone(p3.insert(Arc::new(P3Engine::start(self.config())?))))
    }

    /// Compiles and links a component as it is, whatever it exports.
    pub(crate) fn link(
        &self,
        path: &Path,
        bytes: &[u8],
    ) -> Result<InstancePre<StoreData>, HostError> {
        match p3::handler_name(bytes) {
            Some(_) => self.p3()?.link(path, bytes),
            None => linker::link(&self.loader.engine, &self.loader.linker, path, bytes),
        }
    }

    /// Returns the resources that the host holds at the moment.
    pub fn gauges(&self) -> Gauges {
        self.state.gauges()
    }

    /// Returns the configuration of the host.
    pub fn config(&self) -> &Config {
        self.state.config()
    }

    /// Returns what all exchanges of the host share.
    pub(crate) fn state(&self) -> &Arc<HostState> {
        &self.state
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Host")
            .field("config", self.config())
            .field("gauges", &self.gauges())
            .finish_non_exhaustive()
    }
}
