//! What the store of an instance holds: its view of the world, and its limits.

use std::{collections::BTreeMap, sync::Arc};

use wasmtime::{Engine, Store, UpdateDeadline, component::ResourceTable};
use wasmtime_wasi::{
    WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView,
    cli::{StdinStream, StdoutStream},
};
use wasmtime_wasi_config::WasiConfigVariables;
use wasmtime_wasi_http::{
    WasiHttpCtx, WasiHttpCtxView, WasiHttpView,
    p2::body::{HostOutgoingBody, StreamContext},
};

use super::{
    cancel_signals::CancelSignals,
    config_store,
    grants::Grants,
    guest_log::{Channel, GuestOutput},
    keyvalue,
    limits::{MAX_FIELDS, MAX_RESOURCES, MemoryLimit},
    outbound::Outbound,
};
use crate::telemetry::access_log::Report;

/// The host's side of one instance.
pub(crate) struct StoreData {
    table: ResourceTable,
    wasi: WasiCtx,
    http: WasiHttpCtx,
    hooks: Outbound,
    config: Arc<WasiConfigVariables>,
    spin_config: Arc<BTreeMap<String, String>>,
    keyvalue: Arc<keyvalue::Stores>,
    memory: MemoryLimit,
    report: Arc<Report>,
    /// A guest of WASI 0.3, whose answers are not in the table.
    is_p3: bool,
    cancel_signals: CancelSignals,
}

/// Yields a guest at a tick. tokio's own yield polls the sockets before the guest goes on: when every
/// thread runs a busy guest, nothing else would notice that a client has disconnected.
fn yield_to_sockets() -> UpdateDeadline {
    UpdateDeadline::YieldCustom(1, Box::pin(tokio::task::yield_now()))
}

impl StoreData {
    pub(crate) fn new(grants: &Grants, report: &Arc<Report>) -> Self {
        let output = |channel| GuestOutput::new(channel, Arc::clone(report));
        let mut wasi = WasiCtx::builder();
        wasi.stdout(output(Channel::Out)).stderr(output(Channel::Error));
        Self::with(grants, report, wasi)
    }

    /// The state of a guest that serves a client over its standard streams.
    pub(crate) fn on_streams(
        grants: &Grants,
        report: &Arc<Report>,
        input: impl StdinStream + 'static,
        output: impl StdoutStream + 'static,
    ) -> Self {
        let mut wasi = WasiCtx::builder();
        wasi.stdin(input).stdout(output).stderr(GuestOutput::lasting(Arc::clone(report)));
        Self::with(grants, report, wasi)
    }

    fn with(grants: &Grants, report: &Arc<Report>, mut wasi: WasiCtxBuilder) -> Self {
        let wasi = wasi.envs(&grants.env).build();
        let mut table = ResourceTable::new();
        table.set_max_capacity(MAX_RESOURCES);
        let mut http = WasiHttpCtx::new();
        http.set_field_size_limit(MAX_FIELDS);
        Self {
            table,
            wasi,
            http,
            hooks: Outbound { allowed: Arc::clone(&grants.outbound), report: Arc::clone(report) },
            config: Arc::clone(&grants.config),
            spin_config: Arc::clone(&grants.spin_config),
            keyvalue: Arc::clone(&grants.keyvalue),
            memory: MemoryLimit::new(grants),
            report: Arc::clone(report),
            is_p3: false,
            cancel_signals: CancelSignals::default(),
        }
    }

    /// The same for a guest of WASI 0.3.
    pub(crate) fn of_p3(grants: &Grants, report: &Arc<Report>) -> Self {
        Self { is_p3: true, ..Self::new(grants, report) }
    }

    /// Returns the cancel signals of a guest of WASI 0.3.
    pub(crate) fn cancel_signals(&mut self) -> &mut CancelSignals {
        &mut self.cancel_signals
    }

    pub(crate) fn config(&self) -> &WasiConfigVariables {
        &self.config
    }

    pub(crate) fn spin_config(&mut self) -> config_store::View {
        config_store::View(Arc::clone(&self.spin_config))
    }

    pub(crate) fn keyvalue(&mut self) -> keyvalue::View<'_> {
        keyvalue::View { stores: &self.keyvalue, table: &mut self.table }
    }

    /// Puts the data into a store with the limits that all instances have.
    pub(crate) fn into_store(self, engine: &Engine) -> Store<Self> {
        let mut store = Store::new(engine, self);
        store.limiter(|data| &mut data.memory);
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(|mut store| {
            store.data_mut().tick();
            Ok(yield_to_sockets())
        });
        store
    }

    /// Whether the guest was refused memory.
    pub(crate) fn out_of_memory(&self) -> bool {
        self.memory.refused
    }

    /// What the guest has panicked for.
    pub(crate) fn panic(&self) -> Option<String> {
        self.report.panic()
    }

    /// The guest was found busy.
    pub(crate) fn tick(&mut self) {
        self.look_for_answer();
        self.report.leash().tick(self.is_p3);
    }

    /// A guest without an open body when its client has gone has noticed, or has nothing to notice.
    fn look_for_answer(&mut self) {
        let leash = self.report.leash();
        if leash.is_unnoticed()
            && !self.is_p3
            && !self.table.iter_mut().any(|entry| entry.is::<HostOutgoingBody>())
        {
            leash.no_open_answer();
        }
    }

    /// Aborts every body the guest has begun and not finished; says whether there was one.
    ///
    /// Left alone, a body ends cleanly when its store is dropped, and its reader takes what is
    /// truncated for the whole.
    pub(crate) fn abort_unfinished_bodies(&mut self) -> bool {
        let mut any = false;
        for entry in self.table.iter_mut() {
            if let Some(body) = entry.downcast_mut::<HostOutgoingBody>() {
                let (placeholder, _) = HostOutgoingBody::new(StreamContext::Response, None, 1, 1);
                std::mem::replace(body, placeholder).abort();
                any = true;
            }
        }
        any
    }
}

impl WasiView for StoreData {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        self.look_for_answer();
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for StoreData {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        self.look_for_answer();
        WasiHttpCtxView { hooks: &mut self.hooks, table: &mut self.table, ctx: &mut self.http }
    }
}
