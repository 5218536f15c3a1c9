//! The task of a WASI 0.3 guest that serves one exchange.
//!
//! It is like that of a WASI 0.2 guest, except that the guest is notified when its client
//! disconnects, before the head as well.

use std::{future::poll_fn, sync::Arc};

use bytes::Bytes;
use http::Request;
use http_body::Body;
use http_body_util::BodyExt;
use tokio::{
    sync::{Notify, oneshot},
    time::sleep_until,
};
use wasmtime::{Store, component::Accessor};
use wasmtime_wasi_http::Error as HttpError;

use super::{
    call::{self, HandlerCall},
    component::P3Component,
    detach::DetachOnDrop,
    pooled,
    shared_body::SharedBody,
};
use crate::runtime::{
    host_state::HostState,
    instance::{self, ExitReason, GuestCall, GuestTask, Instance},
    store::StoreData,
};

/// Prepares the task of a guest for one exchange.
pub(crate) fn begin<B>(
    host: &Arc<HostState>,
    component: Arc<P3Component>,
    call: GuestCall<Request<B>>,
) -> GuestTask
where
    B: Body<Data = Bytes, Error = HttpError> + Send + 'static,
{
    if host.config().instance_reuse > 1 {
        return pooled::begin(
            host,
            &component,
            call.map(|request| request.map(BodyExt::boxed_unsync)),
        );
    }
    let GuestCall { request, permit, record, result, completed } = call;
    let exchange = record.exchange();
    let (body, cancel) = (SharedBody::default(), Arc::new(Notify::new()));
    let mut data = StoreData::of_p3(host.grants(), &record);
    data.cancel_signals().add(exchange, Arc::clone(&cancel));
    let store = data.into_store(component.engine());
    let call = HandlerCall { exchange, result, body: body.clone(), cancel: Arc::clone(&cancel) };
    let mut instance = Instance::new(host, &record, permit);
    let (deadline, grace) = (record.deadline(host.config()), host.config().abort_grace);
    let task = async move {
        let completed = cancel_unless_completed(completed, &cancel);
        let served = serve(&component, instance.store.insert(store), request, call);
        let reason = tokio::select! {
            biased;
            served = served => instance::exit_reason(served.map(|()| None)),
            () = instance::cut(completed, &record, grace) => ExitReason::Cut,
            () = sleep_until(deadline) => ExitReason::TimedOut,
        };
        instance.exit(body.seal(), reason)
    };
    Box::pin(DetachOnDrop::new(Box::pin(task)))
}

/// Waits for the end of the exchange, and cancels the call if the client disconnects before it has
/// received the whole response. Returns whether it has.
async fn cancel_unless_completed(completed: oneshot::Receiver<()>, cancel: &Notify) -> bool {
    let is_complete = completed.await.is_ok();
    if !is_complete {
        cancel.notify_one();
    }
    is_complete
}

/// Instantiates the component, calls its handler, and runs it until it has nothing more to do.
async fn serve<B>(
    component: &P3Component,
    store: &mut Store<StoreData>,
    request: Request<B>,
    call: HandlerCall,
) -> wasmtime::Result<()>
where
    B: Body<Data = Bytes, Error = HttpError> + Send + 'static,
{
    let request = call::to_guest(store.data_mut(), request);
    let handler = component.instantiate(store).await?;
    let work = async |accessor: &Accessor<StoreData>| {
        call.run(accessor, &handler, request).await?;
        poll_fn(|cx| accessor.poll_no_interesting_tasks(cx)).await;
        Ok(())
    };
    store.run_concurrent(work).await?
}
