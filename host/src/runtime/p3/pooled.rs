//! Exchanges in pooled instances, where `instance_reuse` is more than one.
//!
//! The exchanges of an instance share its memory, and a trap ends them all. wasmtime cannot drop one
//! call of several. A guest that ignores the end of an exchange therefore keeps it: the instance
//! accepts no more exchanges and is dropped with the last of those it has. wasmtime reports
//! only that all calls of an instance have ended, not that one has.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{mpsc, oneshot},
    time::{sleep, sleep_until},
};
use wasmtime::{
    Store,
    component::{Accessor, AccessorTask},
};

use super::{
    call::{self, Handler, HandlerCall},
    component::P3Component,
    detach::DetachOnDrop,
    instance_pool::{PooledCall, PooledInstance, Slot},
    shared_body::SharedBody,
};
use crate::{
    runtime::{
        host_state::HostState,
        instance::{self, ExitReason, GuestCall, GuestExit, GuestTask},
        store::StoreData,
    },
    telemetry::{access_log::ExchangeRecord, cancellation::Release, fault::Fault},
};

/// Prepares the task of an exchange in an instance that it may share.
pub(super) fn begin(
    host: &Arc<HostState>,
    component: &Arc<P3Component>,
    call: GuestCall,
) -> GuestTask {
    let GuestCall { request, permit, record, result } = call;
    let exchange = record.exchange();
    let (body, token) = (SharedBody::default(), record.cancellation().call_token());
    let slot = take_slot(host, component, exchange, &body);
    let (returned, has_returned) = oneshot::channel();
    if let Some(slot) = &slot {
        let call = HandlerCall { exchange, result, body: body.clone(), token };
        slot.send(PooledCall { request, call, returned });
    }
    let (deadline, grace) = (record.deadline(host.config()), host.config().abort_grace);
    let task = async move {
        let done = done(slot.as_ref(), has_returned, &body);
        let reason = tokio::select! {
            biased;
            fault = fault(slot.as_ref()) => ExitReason::Trapped(fault),
            reason = ends(done, &record, grace) => reason,
            () = sleep_until(deadline) => instance::TOO_LONG,
        };
        if let (ExitReason::Cut | ExitReason::TimedOut(_), Some(slot)) = (&reason, &slot) {
            slot.retire_instance();
        }
        let complete = body.seal();
        instance::record_exit(&record, &reason, complete);
        drop((slot, permit));
        GuestExit::new(complete, reason)
    };
    Box::pin(DetachOnDrop::new(Box::pin(task)))
}

/// Takes a slot in an instance, which is started if none has one.
fn take_slot(
    host: &HostState,
    component: &Arc<P3Component>,
    exchange: u64,
    body: &SharedBody,
) -> Option<Slot> {
    let concurrency = host.config().instance_concurrency;
    component.instances.take_slot(concurrency, exchange, body).or_else(|| {
        let instance = start_instance(host, component, exchange);
        instance.take_slot(concurrency, exchange, body)
    })
}

/// Starts an instance in a task of its own, and adds it to the pool.
fn start_instance(
    host: &HostState,
    component: &Arc<P3Component>,
    exchange: u64,
) -> Arc<PooledInstance> {
    let config = host.config();
    let (instance, calls) = PooledInstance::new(config.instance_reuse);
    let record = Arc::new(ExchangeRecord::of_instance(exchange));
    let store = StoreData::of_p3(host.grants(), None, &record).into_store(component.engine());
    let limits = Limits { idle: config.keep_alive, grace: config.abort_grace };
    let running = Running(Arc::clone(&instance));
    let turn = store.data().turn();
    let task = turn.run(run(running, Arc::clone(component), store, calls, limits));
    let gauge = host.count_instance();
    tokio::spawn(async move {
        task.await;
        drop(gauge);
    });
    component.instances.add(&instance);
    instance
}

/// Resolves when the instance has ended before the exchange.
async fn fault(slot: Option<&Slot>) -> Fault {
    match slot {
        Some(slot) => slot.fault().await,
        None => Fault::NoResponse,
    }
}

/// Resolves when the exchange has ended, with its response or because its client has disconnected.
async fn ends(
    done: impl Future<Output = ()>,
    record: &ExchangeRecord,
    grace: Duration,
) -> ExitReason {
    let cancellation = record.cancellation();
    let is_complete = cancellation.released().await == Release::Complete;
    if is_complete && !record.is_server_error() {
        return ExitReason::Returned(None);
    }
    let grace = async {
        if !is_complete && cancellation.runs_to_completion() {
            std::future::pending::<()>().await;
        }
        sleep(grace).await;
    };
    tokio::select! {
        // A guest that panics responds before it traps; the trap ends this future.
        () = done => ExitReason::Returned(None),
        () = grace => if is_complete { ExitReason::Returned(None) } else { ExitReason::Cut },
    }
}

/// Resolves when a guest whose client has disconnected has nothing more to do for the exchange.
async fn done(slot: Option<&Slot>, has_returned: oneshot::Receiver<()>, body: &SharedBody) {
    if has_returned.await.is_err() {
        // The instance is about to end, perhaps on another thread; its fault ends the exchange.
        return std::future::pending().await;
    }
    if let Some(slot) = slot
        && body.has_begun()
    {
        slot.quiet().await;
    }
}

/// How long an instance is kept without an exchange, and after its last one.
struct Limits {
    idle: Duration,
    grace: Duration,
}

/// A running instance. Its exchanges end when this is dropped, with its task or with the runtime of
/// the task.
struct Running(Arc<PooledInstance>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.end(Fault::NoResponse);
    }
}

/// Runs an instance until it traps or is not used any more.
async fn run(
    running: Running,
    component: Arc<P3Component>,
    mut store: Store<StoreData>,
    calls: mpsc::UnboundedReceiver<PooledCall>,
    Limits { idle, grace }: Limits,
) {
    let instance = &running.0;
    let unused = async {
        instance.unused(idle).await;
        // For deferred work.
        sleep(grace).await;
    };
    let result = tokio::select! {
        result = serve(instance, &component, &mut store, calls) => result,
        () = unused => Ok(()),
    };
    let fault = match instance::exit_reason(result.map(|()| None)) {
        ExitReason::Trapped(fault) => match store.data().memory_refusal() {
            Some(refusal) => refusal.clone(),
            None => store.data().panic_message().map_or(fault, Fault::Trapped),
        },
        _ => Fault::NoResponse,
    };
    instance.end(fault);
}

/// Makes the calls of an instance as they come.
async fn serve(
    instance: &PooledInstance,
    component: &P3Component,
    store: &mut Store<StoreData>,
    mut calls: mpsc::UnboundedReceiver<PooledCall>,
) -> wasmtime::Result<()> {
    let handler = component.instantiate(store).await?;
    let work = async |accessor: &Accessor<StoreData>| {
        let make = async {
            while let Some(call) = calls.recv().await {
                accessor.spawn(CallTask { call, handler })?;
            }
            Ok(())
        };
        tokio::select! {
            made = make => made,
            () = instance.notify_quiet(accessor) => Ok(()),
        }
    };
    store.run_concurrent(work).await?
}

/// The task of one call.
struct CallTask {
    call: PooledCall,
    handler: Handler,
}

impl AccessorTask<StoreData> for CallTask {
    async fn run(self, accessor: &Accessor<StoreData>) -> wasmtime::Result<()> {
        let Self { call: PooledCall { request, call, returned }, handler } = self;
        let exchange = call.exchange;
        let request = accessor.with(|mut access| {
            access.get().begin_exchange();
            access.get().cancel_signals().add(exchange, call.token.clone());
            call::to_guest(access.get(), request)
        });
        let result = call.run(accessor, &handler, request).await;
        accessor.with(|mut access| access.get().cancel_signals().remove(exchange));
        let _ = returned.send(());
        result
    }
}
