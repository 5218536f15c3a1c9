//! Components of WASI 0.3, and the engine that compiles them.

use std::path::Path;

use wasmtime::{
    Engine, Store,
    component::{Component, ComponentExportIndex, InstancePre, Linker},
};

use super::{call::Handler, instance_pool::InstancePool, wrapper};
use crate::{
    config::Config,
    error::{HostError, one_line},
    runtime::{cancel_signals, engine, linker, store::StoreData},
};

/// An engine and a linker for guests of WASI 0.3. Guests of WASI 0.2 have others, which do without
/// the cost of concurrency.
pub(crate) struct P3Engine {
    engine: Engine,
    linker: Linker<StoreData>,
}

impl P3Engine {
    pub(crate) fn start(config: &Config) -> Result<Self, HostError> {
        let engine = engine::start_concurrent(config)?;
        // The standard library of guests is that of WASI 0.2.
        let mut linker = linker::linker(&engine)?;
        wasmtime_wasi::p3::add_to_linker(&mut linker)
            .and_then(|()| wasmtime_wasi_http::p3::add_to_linker(&mut linker))
            .and_then(|()| {
                let signals = StoreData::cancel_signals;
                cancel_signals::add_to_linker(&mut linker, wrapper::CANCEL_SIGNAL, signals)
            })
            .map_err(|error| HostError::Engine(one_line(&error)))?;
        Ok(Self { engine, linker })
    }

    /// Wraps, compiles and links a component. `handler` is the name of the handler it exports.
    pub(crate) fn load(
        &self,
        path: &Path,
        bytes: &[u8],
        handler: &str,
    ) -> Result<P3Component, HostError> {
        let link = |reason: String| HostError::Link { path: path.to_owned(), reason };
        let wrapped = wrapper::wrap(bytes, handler).map_err(|error| link(error.to_string()))?;
        let component = Component::new(&self.engine, &wrapped).map_err(|error| {
            HostError::Compile { path: path.to_owned(), reason: one_line(&error) }
        })?;
        let pre =
            self.linker.instantiate_pre(&component).map_err(|error| link(one_line(&error)))?;
        let handle = component
            .get_export_index(None, wrapper::HANDLE)
            .ok_or_else(|| link("its caller exports no handler".to_owned()))?;
        Ok(P3Component { pre, handle, instances: InstancePool::default() })
    }

    /// Compiles and links a component as it is, for what else it exports.
    pub(crate) fn link(
        &self,
        path: &Path,
        bytes: &[u8],
    ) -> Result<InstancePre<StoreData>, HostError> {
        linker::link(&self.engine, &self.linker, path, bytes)
    }
}

/// A component of WASI 0.3 that is compiled and linked.
pub(crate) struct P3Component {
    pre: InstancePre<StoreData>,
    handle: ComponentExportIndex,
    /// Instances that serve several exchanges.
    pub(super) instances: InstancePool,
}

impl P3Component {
    pub(super) fn engine(&self) -> &Engine {
        self.pre.engine()
    }

    pub(super) async fn instantiate(
        &self,
        store: &mut Store<StoreData>,
    ) -> wasmtime::Result<Handler> {
        let instance = self.pre.instantiate_async(&mut *store).await?;
        instance.get_typed_func(store, self.handle)
    }
}
