//! Guests of WASI 0.3: `wasi:http/handler`.

mod answer;
mod call;
mod cancel_signals;
mod imports;
mod instance_pool;
mod task;
mod wrapper;

use std::path::Path;

use wasmtime::{
    Engine, Store,
    component::{Component, ComponentExportIndex, InstancePre, Linker},
};

use self::instance_pool::Instances;
pub(crate) use self::{
    cancel_signals::Leaving,
    imports::handler,
    task::{Exchange, begin},
};
use crate::{
    Config, HostError,
    error::one_line,
    runtime::{component, engine, store::State},
};

/// An engine for guests of WASI 0.3. Those of 0.2 have one of their own, which is spared what only
/// these need.
pub(crate) struct World {
    engine: Engine,
    linker: Linker<State>,
}

impl World {
    pub(crate) fn start(config: &Config) -> Result<Self, HostError> {
        let engine = engine::start_concurrent(config)?;
        // The standard library of guests is that of 0.2.
        let mut linker = component::linker(&engine)?;
        wasmtime_wasi::p3::add_to_linker(&mut linker)
            .and_then(|()| wasmtime_wasi_http::p3::add_to_linker(&mut linker))
            .and_then(|()| cancel_signals::add_to_linker(&mut linker))
            .map_err(|error| HostError::Engine(one_line(&error)))?;
        Ok(Self { engine, linker })
    }

    /// Compiles and links a component whose handler has that name.
    pub(crate) fn load(
        &self,
        path: &Path,
        bytes: &[u8],
        handler: &str,
    ) -> Result<Service, HostError> {
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
        Ok(Service { pre, handle, instances: Instances::default() })
    }

    /// Compiles and links a component as it is, for what else it exports.
    pub(crate) fn link(&self, path: &Path, bytes: &[u8]) -> Result<InstancePre<State>, HostError> {
        component::link(&self.engine, &self.linker, path, bytes)
    }
}

/// A component that is compiled and linked.
pub(crate) struct Service {
    pre: InstancePre<State>,
    handle: ComponentExportIndex,
    /// Where instances serve several exchanges.
    instances: Instances,
}

impl Service {
    async fn instantiate(&self, store: &mut Store<State>) -> wasmtime::Result<call::Handler> {
        let instance = self.pre.instantiate_async(&mut *store).await?;
        instance.get_typed_func(store, self.handle)
    }
}
