//! The task of a WASI 0.3 guest that serves one exchange.
//!
//! It is like that of a WASI 0.2 guest, except that the guest is notified when its client
//! disconnects, before the head as well.

use std::{future::poll_fn, sync::Arc};

use tokio::time::sleep_until;
use wasmtime::{Store, component::Accessor};

use super::{
    call::{self, HandlerCall},
    component::P3Component,
    detach::DetachOnDrop,
    pooled,
    shared_body::SharedBody,
};
use crate::runtime::{
    buffered::BufferedRequest,
    host_state::HostState,
    instance::{self, ExitReason, GuestCall, GuestTask, Instance},
    store::StoreData,
};

/// Prepares the task of a guest for one exchange.
pub(crate) fn begin(
    host: &Arc<HostState>,
    component: Arc<P3Component>,
    call: GuestCall,
) -> GuestTask {
    if host.config().instance_reuse > 1 {
        return pooled::begin(host, &component, call);
    }
    let GuestCall { request, permit, record, result } = call;
    let exchange = record.exchange();
    let (body, token) = (SharedBody::default(), record.cancellation().call_token());
    let mut data = StoreData::of_p3(host.grants(), Some(permit.peer()), &record);
    data.cancel_signals().add(exchange, token.clone());
    data.limit_cpu_time(host.config().cpu_time);
    let turn = data.turn();
    let store = data.into_store(component.engine());
    let call = HandlerCall { exchange, result, body: body.clone(), token };
    let mut instance = Instance::new(host, &record, permit);
    let (deadline, grace) = (record.deadline(host.config()), host.config().abort_grace);
    let task = async move {
        let served = turn.run(serve(&component, instance.store.insert(store), request, call));
        let reason = tokio::select! {
            biased;
            served = served => instance::exit_reason(served.map(|()| None)),
            () = instance::cut(&record, grace) => ExitReason::Cut,
            () = sleep_until(deadline) => instance::TOO_LONG,
        };
        instance.exit(body.seal(), reason)
    };
    Box::pin(DetachOnDrop::new(Box::pin(task)))
}

/// Instantiates the component, calls its handler, and runs it until it has nothing more to do.
async fn serve(
    component: &P3Component,
    store: &mut Store<StoreData>,
    request: BufferedRequest,
    call: HandlerCall,
) -> wasmtime::Result<()> {
    let request = call::to_guest(store.data_mut(), request);
    let handler = component.instantiate(store).await?;
    let work = async |accessor: &Accessor<StoreData>| {
        call.run(accessor, &handler, request).await?;
        poll_fn(|cx| accessor.poll_no_interesting_tasks(cx)).await;
        Ok(())
    };
    store.run_concurrent(work).await?
}
