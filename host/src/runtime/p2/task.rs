//! The task of a WASI 0.2 guest: one exchange in an instance of its own.

use std::sync::Arc;

use tokio::time::sleep_until;
use wasmtime_wasi_http::WasiHttpView;

use super::component::P2Component;
use crate::runtime::{
    host_state::HostState,
    instance::{self, ExitReason, GuestCall, GuestTask, Instance},
    store::StoreData,
};

/// Prepares the task of a guest for one exchange.
pub(crate) fn begin(
    host: &Arc<HostState>,
    component: Arc<P2Component>,
    call: GuestCall,
) -> GuestTask {
    let GuestCall { request, permit, record, result } = call;
    let peer = Arc::clone(permit.peer());
    let mut instance = Instance::new(host, &record, permit);
    let host = Arc::clone(host);
    Box::pin(async move {
        let (deadline, grace) = (record.deadline(host.config()), host.config().abort_grace);
        let store = &mut instance.store;
        let served = async {
            // Created here, so that a task that is never polled costs no instance.
            let mut data = StoreData::new(host.grants(), Some(&peer), &record);
            data.limit_cpu_time(host.config().cpu_time);
            let turn = data.turn();
            let store = store.insert(data.into_store(component.engine()));
            let response = store.data_mut().http().new_response_outparam(result)?;
            turn.run(component.handle(store, request, response)).await
        };
        let reason = tokio::select! {
            biased;
            served = served => instance::exit_reason(served),
            () = instance::cut(&record, grace) => ExitReason::Cut,
            () = sleep_until(deadline) => instance::TOO_LONG,
        };
        let complete = match &mut instance.store {
            Some(store) => !store.data_mut().abort_unfinished_bodies(),
            None => true,
        };
        instance.exit(complete, reason)
    })
}
