//! The life of a guest: from its instance's making to the drop of its store.

use std::{pin::Pin, sync::Arc, time::Duration};

use bytes::Bytes;
use http_body::Body;
use tokio::{
    sync::{OwnedSemaphorePermit, oneshot},
    time::{sleep, sleep_until},
};
use wasmtime::{Engine, Store, UpdateDeadline};
use wasmtime_wasi_http::{Error as HttpError, WasiHttpView, p2::bindings::http::types::Scheme};

use crate::{
    Host,
    contract::Outcome,
    exchange::Answered,
    runtime::{
        buffered::{Answer, Arrived, Kept},
        component::Proxied,
        host::Counted,
        store::State,
    },
    telemetry::{access_log::Report, fault::Fault},
};

/// A guest at work. Dropping it ends the guest wherever it is: it yields at every tick.
pub(crate) type Life = Pin<Box<dyn Future<Output = End> + Send>>;

/// How a guest ended.
pub(crate) struct End {
    /// Whether it left no body unfinished.
    pub(crate) complete: bool,
    manner: Manner,
    /// Kept by an answer that is all there, until its client has taken it.
    permit: Option<OwnedSemaphorePermit>,
}

pub(crate) enum Manner {
    /// With an answer, if it was given no other way.
    Returned(Option<Answer>),
    Trapped(Fault),
    TimedOut,
    /// It went on for longer than it may after its answer, or after its client.
    Cut,
}

impl End {
    pub(crate) fn new(complete: bool, manner: Manner) -> Self {
        Self { complete, manner, permit: None }
    }

    /// What the guest returned, or what the host answers in its place.
    pub(crate) fn into_answer(self) -> Result<Kept, Fault> {
        Err(match self.manner {
            Manner::Returned(Some(answer)) => return Ok(Kept { answer, permit: self.permit }),
            Manner::Returned(None) => Fault::NoAnswer,
            // Before there is an answer, only the end of the request body can be the reason.
            Manner::Cut => Fault::BodyCut,
            Manner::Trapped(fault) => fault,
            Manner::TimedOut => Fault::TimedOut,
        })
    }
}

/// What lives exactly as long as the guest; the store first to go, the permit last.
pub(crate) struct Instance {
    /// Made when the exchange turns out to need it.
    pub(crate) store: Option<Store<State>>,
    host: Host,
    report: Arc<Report>,
    _counted: Counted,
    permit: OwnedSemaphorePermit,
}

impl Instance {
    pub(crate) fn new(host: &Host, report: &Arc<Report>, permit: OwnedSemaphorePermit) -> Self {
        Self {
            store: None,
            host: host.clone(),
            report: Arc::clone(report),
            _counted: host.count_instance(),
            permit,
        }
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
    guest: Arc<Proxied>,
    permit: OwnedSemaphorePermit,
    request: Arrived<B>,
    report: &Arc<Report>,
    answered: oneshot::Sender<Answered>,
    completed: oneshot::Receiver<()>,
) -> Life
where
    B: Body<Data = Bytes, Error = HttpError> + Send + Unpin + 'static,
{
    let mut instance = Instance::new(host, report, permit);
    let report = Arc::clone(report);
    Box::pin(async move {
        let config = instance.host.config();
        let (deadline, grace) = (report.deadline(config), config.abort_grace);
        let manner = tokio::select! {
            biased;
            result = instance.call(&guest, request, answered) => returned(result),
            () = cut(async { completed.await.is_ok() }, &report, grace) => Manner::Cut,
            () = sleep_until(deadline) => Manner::TimedOut,
        };
        let complete = match &mut instance.store {
            Some(store) => !store.data_mut().abort_unfinished_bodies(),
            None => true,
        };
        end(instance, complete, manner)
    })
}

/// The end of a guest, whose answer is whole or not.
pub(crate) fn end(instance: Instance, complete: bool, manner: Manner) -> End {
    let manner = match &instance.store {
        Some(store) => explain(manner, store.data()),
        None => manner,
    };
    record(&instance.report, &manner, complete);
    let Instance { store, permit, .. } = instance;
    drop(store);
    End { complete, manner, permit: Some(permit) }
}

/// What a guest does at a tick. tokio's own yield has the sockets looked at before the guest goes
/// on: when every thread has a busy guest, there is no one else who would see a client leave.
pub(crate) fn give_way() -> UpdateDeadline {
    UpdateDeadline::YieldCustom(1, Box::pin(tokio::task::yield_now()))
}

impl Instance {
    async fn call<B>(
        &mut self,
        guest: &Proxied,
        request: Arrived<B>,
        answered: oneshot::Sender<Answered>,
    ) -> wasmtime::Result<Option<Answer>>
    where
        B: Body<Data = Bytes, Error = HttpError> + Send + Unpin + 'static,
    {
        let (engine, grants) = (self.host.engine(), self.host.grants());
        let store = self.store.insert(store(engine, State::new(grants, &self.report)));
        let response = store.data_mut().http().new_response_outparam(answered)?;
        let request = match request {
            Arrived::Whole(request) => return guest.answer(store, &request, response).await,
            Arrived::Streaming(request) => {
                store.data_mut().http().new_incoming_request(Scheme::Http, request)?
            }
        };
        let proxy = guest.instantiate(store).await?;
        proxy.wasi_http_incoming_handler().call_handle(store, request, response).await?;
        Ok(None)
    }
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

pub(crate) fn returned(result: wasmtime::Result<Option<Answer>>) -> Manner {
    match result {
        Ok(answer) => Manner::Returned(answer),
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
        Manner::Returned(_) if !complete => {
            report.cut(Outcome::Trapped, "the guest returned and left its answer unfinished");
        }
        Manner::Returned(_) => {}
    }
}
