//! One call of a guest's handler, from the request to the response.

use http::{Response, header, uri::Authority};
use http_body_util::BodyExt;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;
use wasmtime::{
    AsContextMut, StoreContextMut,
    component::{Accessor, Resource, TypedFunc},
};
use wasmtime_wasi_http::{
    FieldMap, WasiBody, WasiHttpView,
    p2::bindings::http::types::ErrorCode,
    p3::{Request as GuestRequest, Response as GuestResponse},
};

use super::{shared_body::SharedBody, wrapper};
use crate::runtime::{buffered::BufferedRequest, instance::HandlerResult, store::StoreData};

/// The function that the wrapper exports.
pub(super) type Handler =
    TypedFunc<(Resource<GuestRequest>, u64), (Result<Resource<GuestResponse>, u8>,)>;

/// One call of a handler.
pub(super) struct HandlerCall {
    pub(super) exchange: u64,
    pub(super) result: oneshot::Sender<HandlerResult>,
    pub(super) body: SharedBody,
    /// Cancels the call. Also cancelled when the call has returned.
    pub(super) token: CancellationToken,
}

impl HandlerCall {
    /// Calls the handler and sends its result. The guest then goes on to write the body.
    pub(super) async fn run(
        self,
        accessor: &Accessor<StoreData>,
        handler: &Handler,
        request: GuestRequest,
    ) -> wasmtime::Result<()> {
        let request = accessor.with(|mut access| access.get().http().table.push(request))?;
        let (returned,) = handler.call_concurrent(accessor, (request, self.exchange)).await?;
        // The wrapper waits for the signal before it exits.
        self.token.cancel();
        let result = match returned {
            Ok(response) => Ok(accessor.with(|access| self.open(access, response))?),
            Err(wrapper::CANCELLED) => return Ok(()),
            Err(code) => Err(ErrorCode::InternalError(Some(format!("error code {code}")))),
        };
        // A client that has disconnected before the head does not receive it.
        let _ = self.result.send(result);
        Ok(())
    }

    fn open(
        &self,
        mut access: impl AsContextMut<Data = StoreData>,
        response: Resource<GuestResponse>,
    ) -> wasmtime::Result<Response<WasiBody>> {
        let mut store: StoreContextMut<'_, StoreData> = access.as_context_mut();
        let response = store.data_mut().http().table.delete(response)?;
        let response = response.into_http(&mut store, async { Ok(()) })?;
        Ok(response.map(|body| self.body.open(body).boxed_unsync()))
    }
}

/// Converts a request for a guest. The authority, which HTTP/1.1 has in a header, becomes part of it.
pub(super) fn to_guest(data: &mut StoreData, request: BufferedRequest) -> GuestRequest {
    let BufferedRequest { parts, body } = request;
    let authority = parts
        .uri
        .authority()
        .cloned()
        .or_else(|| Authority::try_from(parts.headers.get(header::HOST)?.as_bytes()).ok());
    let headers = FieldMap::new_immutable(data.http().hooks, parts.headers);
    let path = parts.uri.path_and_query().cloned();
    let scheme = Some(http::uri::Scheme::HTTP);
    // The future resolves to errors of the guest while it read the request; its response says the same.
    let (request, _) =
        GuestRequest::new(parts.method, scheme, authority, path, headers, None, body);
    request
}
