//! Instances of guests, and how they exit.

use std::{pin::Pin, sync::Arc, time::Duration};

use http::Response;
use tokio::{sync::oneshot, time::sleep};
use wasmtime::Store;
use wasmtime_wasi_http::p2::{bindings::http::types::ErrorCode, body::HyperOutgoingBody};

use super::{
    admission::ExchangePermit,
    buffered::{BufferedRequest, RawResponse},
    host_state::{GaugeGuard, HostState},
    store::{CpuTimeUsedUp, StoreData},
};
use midge_contract::Outcome;

use crate::telemetry::{access_log::ExchangeRecord, fault::Fault};

/// What the handler of a guest returns through `wasi:http`.
pub(crate) type HandlerResult = Result<Response<HyperOutgoingBody>, ErrorCode>;

/// A running guest. Dropping it ends the guest wherever it is: a guest yields at every tick.
pub(crate) type GuestTask = Pin<Box<dyn Future<Output = GuestExit> + Send>>;

/// One request for a guest.
pub(crate) struct GuestCall {
    pub(crate) request: BufferedRequest,
    pub(crate) permit: ExchangePermit,
    pub(crate) record: Arc<ExchangeRecord>,
    /// Takes the result of the handler.
    pub(crate) result: oneshot::Sender<HandlerResult>,
}

/// How a guest exited.
pub(crate) struct GuestExit {
    /// Whether no response body was left unfinished.
    pub(crate) complete: bool,
    reason: ExitReason,
}

/// An exchange is over its deadline.
pub(super) const TOO_LONG: ExitReason = ExitReason::TimedOut("the exchange took too long");

/// Why a guest exited.
pub(crate) enum ExitReason {
    /// It returned, with a response if it sent none through `wasi:http`.
    Returned(Option<RawResponse>),
    Trapped(Fault),
    /// The exchange took too long, or the guest too much CPU time.
    TimedOut(&'static str),
    /// It ran for longer than it may after its response, or after its client has disconnected.
    Cut,
}

impl GuestExit {
    pub(super) fn new(complete: bool, reason: ExitReason) -> Self {
        Self { complete, reason }
    }

    /// Returns the response of the guest, or the fault that takes its place.
    pub(crate) fn into_response(self) -> Result<RawResponse, Fault> {
        Err(match self.reason {
            ExitReason::Returned(Some(response)) => return Ok(response),
            // Before the head, a guest is cut only if nobody waits for its response.
            ExitReason::Returned(None) | ExitReason::Cut => Fault::NoResponse,
            ExitReason::Trapped(fault) => fault,
            ExitReason::TimedOut(_) => Fault::TimedOut,
        })
    }
}

/// What lives exactly as long as a guest. The store is dropped first, the permit last.
pub(super) struct Instance {
    /// Created when the exchange turns out to need it.
    pub(super) store: Option<Store<StoreData>>,
    record: Arc<ExchangeRecord>,
    _gauge: GaugeGuard,
    _permit: ExchangePermit,
}

impl Instance {
    pub(super) fn new(
        host: &HostState,
        record: &Arc<ExchangeRecord>,
        permit: ExchangePermit,
    ) -> Self {
        let _gauge = host.count_instance();
        Self { store: None, record: Arc::clone(record), _gauge, _permit: permit }
    }

    /// Drops the store, and records why the guest exited. `complete`: whether it left no response
    /// body unfinished.
    pub(super) fn exit(self, complete: bool, reason: ExitReason) -> GuestExit {
        let reason = match &self.store {
            Some(store) => explain(reason, store.data()),
            None => reason,
        };
        record_exit(&self.record, &reason, complete);
        GuestExit { complete, reason }
    }
}

/// Resolves when a guest is to be cut: the response is complete, or the client has disconnected, and
/// the grace after that has passed.
pub(super) async fn cut(record: &ExchangeRecord, grace: Duration) {
    let cancellation = record.cancellation();
    cancellation.released().await;
    if cancellation.runs_to_completion() {
        std::future::pending::<()>().await;
    }
    tokio::select! {
        () = sleep(grace) => {}
        () = cancellation.overrun() => {}
    }
}

/// Returns the reason of a guest that exited by itself.
pub(super) fn exit_reason(returned: wasmtime::Result<Option<RawResponse>>) -> ExitReason {
    match returned {
        Ok(response) => ExitReason::Returned(response),
        Err(error) if error.is::<CpuTimeUsedUp>() => {
            ExitReason::TimedOut("the guest used more than `cpu_time`")
        }
        // The outer contexts are the backtrace of the guest; the root is the trap.
        Err(error) => ExitReason::Trapped(Fault::Trapped(error.root_cause().to_string())),
    }
}

/// Finds the traps that were caused by a lack of memory: to the engine they look like any other.
fn explain(reason: ExitReason, data: &StoreData) -> ExitReason {
    match (reason, data.memory_refusal()) {
        (ExitReason::Trapped(_), Some(refusal)) => ExitReason::Trapped(refusal.clone()),
        (other, _) => other,
    }
}

/// Records in the access log why a guest exited.
pub(super) fn record_exit(record: &ExchangeRecord, reason: &ExitReason, complete: bool) {
    match reason {
        ExitReason::Trapped(fault) => record.cut_short(fault.outcome(), &fault.cause()),
        ExitReason::TimedOut(cause) => record.cut_short(Outcome::TimedOut, cause),
        ExitReason::Cut => record.note("the guest was cut after its grace"),
        ExitReason::Returned(_) if !complete => {
            record
                .cut_short(Outcome::Trapped, "the guest returned and left its response unfinished");
        }
        ExitReason::Returned(_) => {}
    }
}
