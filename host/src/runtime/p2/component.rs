//! Components of WASI 0.2.

use std::path::Path;

use wasmtime::{Engine, Store, component::InstancePre};
use wasmtime_wasi_http::p2::bindings::{Proxy, ProxyPre};

use crate::{
    error::{HostError, one_line},
    runtime::{fast_path::FastPath, store::StoreData},
};

/// A component of `wasi:http` 0.2.
pub(crate) struct P2Component {
    pre: ProxyPre<StoreData>,
    /// The core module, for exchanges that need no component around it.
    fast_path: Option<FastPath>,
}

impl P2Component {
    pub(crate) fn new(
        pre: InstancePre<StoreData>,
        path: &Path,
        bytes: &[u8],
    ) -> Result<Self, HostError> {
        let pre = ProxyPre::new(pre).map_err(|error| HostError::NotAServer {
            path: path.to_owned(),
            reason: one_line(&error),
        })?;
        let fast_path = FastPath::load(pre.engine(), bytes);
        Ok(Self { pre, fast_path })
    }

    pub(super) fn engine(&self) -> &Engine {
        self.pre.engine()
    }

    pub(crate) fn fast_path(&self) -> Option<&FastPath> {
        self.fast_path.as_ref()
    }

    pub(super) async fn instantiate(
        &self,
        store: &mut Store<StoreData>,
    ) -> wasmtime::Result<Proxy> {
        self.pre.instantiate_async(store).await
    }
}
