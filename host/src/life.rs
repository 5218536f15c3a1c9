//! The life of a guest: from its instance's making to the drop of its store.

use std::{pin::Pin, sync::Arc, time::Duration};

use bytes::Bytes;
use http_body::Body;
use tokio::{
    sync::{OwnedSemaphorePermit, oneshot},
    time::{sleep, sleep_until},
};
use wasmtime::{Store, UpdateDeadline};
use wasmtime_wasi_http::{Error as HttpError, WasiHttpView, p2::bindings::http::types::Scheme};

use crate::{
    Guest, Host,
    contract::Outcome,
    exchange::Answered,
    fault::Fault,
    host::Counted,
    report::Report,
    state::State,
    whole::{Answer, Arrived},
};

/// A guest at work. Dropping it ends the guest wherever it is: it yields at every tick.
pub(crate) type Life = Pin<Box<dyn Future<Output = End> + Send>>;

/// How a guest ended.
pub(crate) struct End {
    /// Whether it left no body unfinished.
    pub(crate) complete: bool,
    manner: Manner,
}

enum Manner {
    /// With an answer, if it was given no other way.
    Returned(Option<Answer>),
    Trapped(Fault),
    TimedOut,
    /// It went on for longer than it may after its answer, or after its client.
    Cut,
}

impl End {
    /// What the guest returned, or what the host answers in its place.
    pub(crate) fn into_answer(self) -> Result<Answer, Fault> {
        Err(match self.manner {
            Manner::Returned(Some(answer)) => return Ok(answer),
            Manner::Returned(None) => Fault::NoAnswer,
            // Before there is an answer, only the end of the request body can be the reason.
            Manner::Cut => Fault::BodyCut,
            Manner::Trapped(fault) => fault,
            Manner::TimedOut => Fault::TimedOut,
        })
    }
}

/// What lives exactly as long as the guest; the store first to go, the permit last.
struct Instance {
    /// Made when the exchange turns out to need it.
    store: Option<Store<State>>,
    host: Host,
    report: Arc<Report>,
    _counted: Counted,
    _permit: OwnedSemaphorePermit,
}

/// Prepares the life of a guest for one exchange.
///
/// `completed` resolves when the answer has been taken to its end, and fails when the client has
/// left before.
pub(crate) fn begin<B>(
    host: &Host,
    guest: Guest,
    permit: OwnedSemaphorePermit,
    request: Arrived<B>,
    report: &Arc<Report>,
    answered: oneshot::Sender<Answered>,
    completed: oneshot::Receiver<()>,
) -> Life
where
    B: Body<Data = Bytes, Error = HttpError> + Send + Unpin + 'static,
{
    let mut instance = Instance {
        store: None,
        host: host.clone(),
        report: Arc::clone(report),
        _counted: host.count_instance(),
        _permit: permit,
    };
    let report = Arc::clone(report);
    Box::pin(async move {
        let config = instance.host.config();
        let (deadline, grace) = (report.deadline(config), config.abort_grace);
        let manner = tokio::select! {
            biased;
            result = instance.call(&guest, request, answered) => returned(result),
            () = cut(completed, &report, grace) => Manner::Cut,
            () = sleep_until(deadline) => Manner::TimedOut,
        };
        let (complete, manner) = match &mut instance.store {
            Some(store) => {
                let complete = !store.data_mut().abort_unfinished_bodies();
                (complete, explain(manner, store.data()))
            }
            None => (true, manner),
        };
        record(&report, &manner, complete);
        drop(instance);
        End { complete, manner }
    })
}

/// What a guest does at a tick. tokio's own yield has the sockets looked at before the guest goes
/// on: when every thread has a busy guest, there is no one else who would see a client leave.
pub(crate) fn give_way() -> UpdateDeadline {
    UpdateDeadline::YieldCustom(1, Box::pin(tokio::task::yield_now()))
}

impl Instance {
    async fn call<B>(
        &mut self,
        guest: &Guest,
        request: Arrived<B>,
        answered: oneshot::Sender<Answered>,
    ) -> wasmtime::Result<Option<Answer>>
    where
        B: Body<Data = Bytes, Error = HttpError> + Send + Unpin + 'static,
    {
        if let (Arrived::Whole(request), Some(pure)) = (&request, guest.pure()) {
            let host = &self.host;
            let answer = pure.answer(host.engine(), host.grants(), &self.report, request).await;
            if answer.is_some() {
                return Ok(answer);
            }
        }
        let store = self.store.insert(store(&self.host, &self.report));
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

fn store(host: &Host, report: &Arc<Report>) -> Store<State> {
    let mut store = Store::new(host.engine(), State::new(host.grants(), report));
    store.limiter(State::limiter);
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(|mut store| {
        store.data_mut().tick();
        Ok(give_way())
    });
    store
}

/// Resolves when the guest's time is up: its answer is complete, or its client has gone, and the
/// grace after that is over.
async fn cut(completed: oneshot::Receiver<()>, report: &Report, grace: Duration) {
    let leash = report.leash();
    let is_complete = tokio::select! {
        completed = completed => completed.is_ok(),
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

fn returned(result: wasmtime::Result<Option<Answer>>) -> Manner {
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

fn record(report: &Report, manner: &Manner, complete: bool) {
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
