//! One call of a guest's handler, from its request to its answer.

use std::sync::Arc;

use bytes::Bytes;
use http::{Request, header, uri::Authority};
use http_body::Body;
use http_body_util::BodyExt;
use tokio::sync::{Notify, oneshot};
use wasmtime::{
    StoreContextMut,
    component::{Accessor, Resource, TypedFunc},
};
use wasmtime_wasi_http::{
    Error as HttpError, FieldMap, WasiHttpView,
    p2::bindings::http::types::ErrorCode,
    p3::{Request as GuestRequest, Response as GuestResponse},
};

use super::{answer::Answer as SharedAnswer, wrapper};
use crate::{exchange::Answered, runtime::store::State};

/// What the wrapper exports.
pub(super) type Handler =
    TypedFunc<(Resource<GuestRequest>, u64), (Result<Resource<GuestResponse>, u8>,)>;

/// What becomes of a call.
pub(super) struct Call {
    pub(super) exchange: u64,
    pub(super) answered: oneshot::Sender<Answered>,
    pub(super) answer: SharedAnswer,
    /// By which the call is cancelled.
    pub(super) word: Arc<Notify>,
}

impl Call {
    /// Calls the handler and hands over its answer; the guest then writes on.
    pub(super) async fn run(
        self,
        accessor: &Accessor<State>,
        handler: &Handler,
        request: GuestRequest,
    ) -> wasmtime::Result<()> {
        let request = accessor.with(|mut access| access.get().http().table.push(request))?;
        let (returned,) = handler.call_concurrent(accessor, (request, self.exchange)).await?;
        // The wrapper waits for it.
        self.word.notify_one();
        let answer = match returned {
            Ok(response) => Ok(accessor.with(|access| self.open(access, response))?),
            Err(wrapper::CANCELLED) => return Ok(()),
            Err(code) => Err(ErrorCode::InternalError(Some(format!("error code {code}")))),
        };
        // Who leaves before the head does not listen.
        let _ = self.answered.send(answer);
        Ok(())
    }

    fn open(
        &self,
        mut access: impl wasmtime::AsContextMut<Data = State>,
        response: Resource<GuestResponse>,
    ) -> wasmtime::Result<http::Response<wasmtime_wasi_http::WasiBody>> {
        let mut store: StoreContextMut<'_, State> = access.as_context_mut();
        let response = store.data_mut().http().table.delete(response)?;
        let response = response.into_http(&mut store, async { Ok(()) })?;
        Ok(response.map(|body| self.answer.open(body).boxed_unsync()))
    }
}

/// A request as guests get it: with the authority that HTTP/1.1 has in a header.
pub(super) fn request<B>(state: &mut State, request: Request<B>) -> GuestRequest
where
    B: Body<Data = Bytes, Error = HttpError> + Send + 'static,
{
    let (head, body) = request.into_parts();
    let authority = head
        .uri
        .authority()
        .cloned()
        .or_else(|| Authority::try_from(head.headers.get(header::HOST)?.as_bytes()).ok());
    let headers = FieldMap::new_immutable(state.http().hooks, head.headers);
    let path = head.uri.path_and_query().cloned();
    let scheme = Some(http::uri::Scheme::HTTP);
    // Whether the guest had its trouble with it is of no interest: its answer says so.
    let (request, _) = GuestRequest::new(head.method, scheme, authority, path, headers, None, body);
    request
}
