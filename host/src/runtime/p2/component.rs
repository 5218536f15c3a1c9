//! Components of WASI 0.2.

use std::path::Path;

use midge_contract::exchange::{HANDLE, INTERFACE};
use wasmtime::{
    Engine, Store,
    component::{ComponentExportIndex, InstancePre, Resource},
};
use wasmtime_wasi_http::p2::{
    bindings::{Proxy, ProxyPre},
    types::HostResponseOutparam,
};

use crate::{
    error::{HostError, one_line},
    runtime::{
        buffered::{BufferedRequest, RawResponse},
        fast_path::FastPath,
        store::StoreData,
    },
};

/// A component of `wasi:http` 0.2.
pub(crate) struct P2Component {
    pre: ProxyPre<StoreData>,
    /// `handle` of `midge:mcp/exchange`, if the component exports it.
    handle: Option<ComponentExportIndex>,
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
        let component = pre.instance_pre().component();
        let exchange = component.get_export_index(None, INTERFACE);
        let handle = exchange.and_then(|within| component.get_export_index(Some(&within), HANDLE));
        let fast_path = FastPath::load(pre.engine(), bytes);
        Ok(Self { pre, handle, fast_path })
    }

    pub(super) fn engine(&self) -> &Engine {
        self.pre.engine()
    }

    /// Whether the component takes a whole exchange in one call.
    pub(crate) fn takes_buffered(&self) -> bool {
        self.handle.is_some()
    }

    pub(crate) fn fast_path(&self) -> Option<&FastPath> {
        self.fast_path.as_ref()
    }

    /// Instantiates the component and calls it with a buffered request. Returns `None` if the guest
    /// sent its response to `response` instead.
    pub(super) async fn handle_buffered(
        &self,
        store: &mut Store<StoreData>,
        request: &BufferedRequest,
        response: Resource<HostResponseOutparam>,
    ) -> wasmtime::Result<Option<RawResponse>> {
        type Arguments<'a> = (&'a [u8], &'a [u8], Resource<HostResponseOutparam>);
        type Returned = (Option<RawResponse>,);
        let instance = self.pre.instance_pre().instantiate_async(&mut *store).await?;
        let export = self
            .handle
            .as_ref()
            .ok_or_else(|| wasmtime::format_err!("the component does not export `{INTERFACE}`"))?;
        let handle = instance.get_typed_func::<Arguments<'_>, Returned>(&mut *store, export)?;
        let (returned,) =
            handle.call_async(store, (&request.head, &request.body, response)).await?;
        Ok(returned)
    }

    pub(super) async fn instantiate(
        &self,
        store: &mut Store<StoreData>,
    ) -> wasmtime::Result<Proxy> {
        self.pre.instantiate_async(store).await
    }
}
