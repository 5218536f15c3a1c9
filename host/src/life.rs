//! The life of a guest: from its instance's making to the drop of its store.

use std::{pin::Pin, sync::Arc, time::Duration};

use bytes::Bytes;
use http::Request;
use http_body::Body;
use tokio::{
    sync::{OwnedSemaphorePermit, oneshot},
    time::{Instant, sleep, sleep_until},
};
use wasmtime::{Engine, Store, UpdateDeadline};
use wasmtime_wasi_http::{
    Error as HttpError, WasiHttpView,
    p2::bindings::{ProxyPre, http::types::Scheme},
};

use crate::{
    Guest, Host, contract::Outcome, exchange::Answer, fault::Fault, guest::Kind, host::Counted, p3,
    report::Report, state::State,
};

/// A guest at work. Dropping it ends the guest wherever it is: it yields at every tick.
pub(crate) type Life = Pin<Box<dyn Future<Output = End> + Send>>;

/// How a guest ended.
pub(crate) struct End {
    /// Whether it left no body unfinished.
    pub(crate) complete: bool,
    manner: Manner,
}

pub(crate) enum Manner {
    Returned,
    Trapped(Fault),
    TimedOut,
    /// It went on for longer than it may after its answer, or after its client.
    Cut,
}

impl End {
    pub(crate) fn new(complete: bool, manner: Manner) -> Self {
        Self { complete, manner }
    }

    /// The host's answer when there is none from the guest.
    pub(crate) fn into_fault(self) -> Fault {
        match self.manner {
            Manner::Returned => Fault::NoAnswer,
            // Before there is an answer, only the end of the request body can be the reason.
            Manner::Cut => Fault::BodyCut,
            Manner::Trapped(fault) => fault,
            Manner::TimedOut => Fault::TimedOut,
        }
    }
}

/// What lives exactly as long as the guest; the store first to go, the permit last.
pub(crate) struct Instance {
    pub(crate) store: Store<State>,
    _counted: Counted,
    _permit: OwnedSemaphorePermit,
}

impl Instance {
    pub(crate) fn new(store: Store<State>, host: &Host, permit: OwnedSemaphorePermit) -> Self {
        Self { store, _counted: host.count_instance(), _permit: permit }
    }
}

/// A store with the limits that all have.
pub(crate) fn store(engine: &Engine, state: State) -> Store<State> {
    let mut store = Store::new(engine, state);
    store.limiter(State::limiter);
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(|mut store| {
        store.data_mut().tick();
        Ok(give_way())
    });
    store
}

/// Prepares the life of a guest for one exchange.
///
/// `completed` resolves when the answer has been taken to its end, and fails when the client has
/// left before.
pub(crate) fn begin<B>(
    host: &Host,
    guest: Guest,
    permit: OwnedSemaphorePermit,
    request: Request<B>,
    report: &Arc<Report>,
    answered: oneshot::Sender<Answer>,
    completed: oneshot::Receiver<()>,
) -> Life
where
    B: Body<Data = Bytes, Error = HttpError> + Send + 'static,
{
    let guest = match guest.kind() {
        Kind::P2(guest) => Arc::clone(guest),
        Kind::P3(world, service) => {
            let report = Arc::clone(report);
            let exchange = p3::Exchange { request, permit, report, answered, completed };
            return p3::begin(host, world, Arc::clone(service), exchange);
        }
    };
    let store = store(host.engine(), State::new(host.grants(), report));
    let mut instance = Instance::new(store, host, permit);
    let deadline = Instant::now() + host.config().exchange_timeout;
    let grace = host.config().abort_grace;
    let report = Arc::clone(report);
    Box::pin(async move {
        let manner = tokio::select! {
            biased;
            result = call(&guest, &mut instance.store, request, answered) => returned(result),
            () = cut(async { completed.await.is_ok() }, &report, grace) => Manner::Cut,
            () = sleep_until(deadline) => Manner::TimedOut,
        };
        let complete = !instance.store.data_mut().abort_unfinished_bodies();
        end(instance, complete, manner, &report)
    })
}

/// The end of a guest, whose answer is whole or not.
pub(crate) fn end(instance: Instance, complete: bool, manner: Manner, report: &Report) -> End {
    let manner = explain(manner, instance.store.data());
    record(report, &manner, complete);
    drop(instance);
    End::new(complete, manner)
}

/// What a guest does at a tick. tokio's own yield has the sockets looked at before the guest goes
/// on: when every thread has a busy guest, there is no one else who would see a client leave.
fn give_way() -> UpdateDeadline {
    UpdateDeadline::YieldCustom(1, Box::pin(tokio::task::yield_now()))
}

async fn call<B>(
    guest: &ProxyPre<State>,
    store: &mut Store<State>,
    request: Request<B>,
    answered: oneshot::Sender<Answer>,
) -> wasmtime::Result<()>
where
    B: Body<Data = Bytes, Error = HttpError> + Send + 'static,
{
    let request = store.data_mut().http().new_incoming_request(Scheme::Http, request)?;
    let answer = store.data_mut().http().new_response_outparam(answered)?;
    let proxy = guest.instantiate_async(&mut *store).await?;
    proxy.wasi_http_incoming_handler().call_handle(store, request, answer).await
}

/// Resolves when the guest's time is up: its answer is complete, or its client has gone, and the
/// grace after that is over.
pub(crate) async fn cut(completed: impl Future<Output = bool>, report: &Report, grace: Duration) {
    let leash = report.leash();
    let is_complete = tokio::select! {
        is_complete = completed => is_complete,
        () = leash.request_cut() => false,
    };
    if report.runs_to_completion() {
        std::future::pending::<()>().await;
    }
    if is_complete {
        return sleep(grace).await;
    }
    leash.client_gone();
    tokio::select! {
        () = sleep(grace) => {}
        () = leash.busy() => {}
    }
}

pub(crate) fn returned(result: wasmtime::Result<()>) -> Manner {
    match result {
        Ok(()) => Manner::Returned,
        // The outer contexts are the backtrace of the guest; its root says what happened.
        Err(error) => Manner::Trapped(Fault::Trapped(error.root_cause().to_string())),
    }
}

/// A trap for want of memory looks like any other to the engine.
fn explain(manner: Manner, state: &State) -> Manner {
    match manner {
        Manner::Trapped(_) if state.out_of_memory() => Manner::Trapped(Fault::OutOfMemory),
        other => other,
    }
}

pub(crate) fn record(report: &Report, manner: &Manner, complete: bool) {
    match manner {
        Manner::Trapped(fault) => report.cut(Outcome::Trapped, &fault.cause()),
        Manner::TimedOut => report.cut(Outcome::TimedOut, "the exchange took too long"),
        Manner::Cut => report.note("the guest was cut after its grace"),
        Manner::Returned if !complete => {
            report.cut(Outcome::Trapped, "the guest returned and left its answer unfinished");
        }
        Manner::Returned => {}
    }
}
