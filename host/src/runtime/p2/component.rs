//! Components of WASI 0.2.

use std::path::Path;

use midge_contract::exchange::{HANDLE, INTERFACE};
use wasmtime::{
    Engine, Store,
    component::{ComponentExportIndex, InstancePre, Resource},
};
use wasmtime_wasi_http::{
    WasiHttpView,
    p2::{
        bindings::{ProxyPre, http::types::Scheme},
        types::HostResponseOutparam,
    },
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

    pub(crate) fn fast_path(&self) -> Option<&FastPath> {
        self.fast_path.as_ref()
    }

    /// Instantiates the component and calls its handler. Returns `None` if the guest has sent its
    /// response to `response`.
    ///
    /// A guest of the SDK takes the request, and returns most responses, in one call. By `wasi:http` it
    /// takes two dozen, which make an exchange that needs the host cost 1.7 times as much.
    pub(super) async fn handle(
        &self,
        store: &mut Store<StoreData>,
        request: BufferedRequest,
        response: Resource<HostResponseOutparam>,
    ) -> wasmtime::Result<Option<RawResponse>> {
        type Arguments<'a> = (&'a [u8], &'a [u8], Resource<HostResponseOutparam>);
        type Returned = (Option<RawResponse>,);
        let Some(export) = &self.handle else {
            let mut http = store.data_mut().http();
            let request = http.new_incoming_request(Scheme::Http, request.into_http())?;
            let proxy = self.pre.instantiate_async(&mut *store).await?;
            let handler = proxy.wasi_http_incoming_handler();
            return handler.call_handle(store, request, response).await.map(|()| None);
        };
        let instance = self.pre.instance_pre().instantiate_async(&mut *store).await?;
        let handle = instance.get_typed_func::<Arguments<'_>, Returned>(&mut *store, export)?;
        let arguments = (&request.head_lines()[..], &request.body.bytes()[..], response);
        let (returned,) = handle.call_async(store, arguments).await?;
        Ok(returned)
    }
}
