//! The data of a store: the host's side of one instance.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use wasmtime::{Engine, Store, UpdateDeadline, component::ResourceTable};
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};
use wasmtime_wasi_config::WasiConfigVariables;
use wasmtime_wasi_http::{
    WasiHttpCtx, WasiHttpCtxView, WasiHttpView,
    p2::body::{HostOutgoingBody, StreamContext},
};

use super::{
    admission::Peer,
    cancel_signals::CancelSignals,
    config_store,
    engine::TICK,
    fairness::Turn,
    grants::Grants,
    guest_log::{Channel, GuestOutput, MAX_LINES},
    keyvalue,
    limits::{MAX_FIELDS, MAX_RESOURCES, MemoryLimit},
    outbound::Outbound,
};
use crate::telemetry::{access_log::ExchangeRecord, fault::Fault};

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
    record: Arc<ExchangeRecord>,
    /// Whether the guest is of WASI 0.3. Its response bodies are not in the table.
    is_p3: bool,
    cancel_signals: CancelSignals,
    /// At how many ticks the guest was found running.
    ticks: u32,
    /// At how many it may be.
    max_ticks: u32,
    turn: Turn,
}

/// The guest has used up its CPU time.
#[derive(Debug, thiserror::Error)]
#[error("the guest used more than `cpu_time`")]
pub(super) struct CpuTimeUsedUp;

impl StoreData {
    /// Creates the data of an exchange.
    ///
    /// `peer` is its client, or `None` for an instance with several exchanges.
    pub(crate) fn new(
        grants: &Grants,
        peer: Option<&Arc<Peer>>,
        record: &Arc<ExchangeRecord>,
    ) -> Self {
        let mut wasi = WasiCtx::builder();
        wasi.stdout(GuestOutput::new(Channel::Out, MAX_LINES, Arc::clone(record)));
        GuestOutput::set_stderr(&mut wasi, MAX_LINES, record);
        Self::with_streams(grants, peer, record, wasi)
    }

    /// Creates data with the standard streams of `wasi`.
    pub(crate) fn with_streams(
        grants: &Grants,
        peer: Option<&Arc<Peer>>,
        record: &Arc<ExchangeRecord>,
        mut wasi: WasiCtxBuilder,
    ) -> Self {
        let wasi = wasi.envs(&grants.env).build();
        let mut table = ResourceTable::new();
        table.set_max_capacity(MAX_RESOURCES);
        let mut http = WasiHttpCtx::new();
        http.set_field_size_limit(MAX_FIELDS);
        Self {
            table,
            wasi,
            http,
            hooks: Outbound { allowed: Arc::clone(&grants.outbound), record: Arc::clone(record) },
            config: Arc::clone(&grants.config),
            spin_config: Arc::clone(&grants.spin_config),
            keyvalue: Arc::clone(&grants.keyvalue),
            memory: MemoryLimit::new(grants, peer),
            record: Arc::clone(record),
            is_p3: false,
            cancel_signals: CancelSignals::default(),
            ticks: 0,
            max_ticks: u32::MAX,
            turn: Turn::default(),
        }
    }

    /// Limits the CPU time of the guest, which is found by ticks.
    pub(crate) fn limit_cpu_time(&mut self, time: Duration) {
        self.max_ticks = u32::try_from(time.as_millis() / TICK.as_millis()).unwrap_or(u32::MAX);
    }

    /// An exchange begins in an instance that may have had others.
    pub(super) fn begin_exchange(&mut self) {
        self.ticks = 0;
    }

    /// Returns the turn of the guest.
    pub(crate) fn turn(&self) -> Turn {
        self.turn.clone()
    }

    /// Creates the data of a WASI 0.3 guest.
    pub(crate) fn of_p3(
        grants: &Grants,
        peer: Option<&Arc<Peer>>,
        record: &Arc<ExchangeRecord>,
    ) -> Self {
        Self { is_p3: true, ..Self::new(grants, peer, record) }
    }

    /// Returns the cancel signals of a guest of WASI 0.3.
    pub(super) fn cancel_signals(&mut self) -> &mut CancelSignals {
        &mut self.cancel_signals
    }

    pub(super) fn config(&self) -> &WasiConfigVariables {
        &self.config
    }

    pub(super) fn spin_config(&mut self) -> config_store::ConfigView {
        config_store::ConfigView(Arc::clone(&self.spin_config))
    }

    pub(super) fn keyvalue(&mut self) -> keyvalue::KeyValueView<'_> {
        keyvalue::KeyValueView { stores: &self.keyvalue, table: &mut self.table }
    }

    /// Puts the data into a store with the limits that all instances have.
    pub(crate) fn into_store(self, engine: &Engine) -> Store<Self> {
        let mut store = Store::new(engine, self);
        store.limiter(|data| &mut data.memory);
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(|mut store| {
            let data = store.data_mut();
            // The deadline may be from before the guest waited for something.
            if data.turn.polled_for() < TICK / 2 {
                return Ok(UpdateDeadline::Continue(1));
            }
            data.tick();
            if data.ticks > data.max_ticks {
                return Err(CpuTimeUsedUp.into());
            }
            let turn = data.turn.clone().yield_at_tick(data.ticks);
            Ok(UpdateDeadline::YieldCustom(1, Box::pin(turn)))
        });
        store
    }

    /// Returns why the guest was refused memory, if it was.
    pub(crate) fn memory_refusal(&self) -> Option<&Fault> {
        self.memory.refusal()
    }

    /// Returns the message of the guest's panic.
    pub(crate) fn panic_message(&self) -> Option<String> {
        self.record.panic_message()
    }

    /// The guest was found running at a tick.
    fn tick(&mut self) {
        self.ticks = self.ticks.saturating_add(1);
        self.check_open_body();
        self.record.cancellation().tick();
    }

    /// Checks whether a guest whose client has disconnected still has an open response body. If it has
    /// none, it has noticed, or has nothing to notice.
    fn check_open_body(&mut self) {
        let cancellation = self.record.cancellation();
        if cancellation.is_unnoticed()
            && !self.is_p3
            && !self.table.iter_mut().any(|entry| entry.is::<HostOutgoingBody>())
        {
            cancellation.no_open_body();
        }
    }

    /// Aborts every body that the guest has begun and not finished. Returns whether there was one.
    ///
    /// Otherwise a body would end cleanly when its store is dropped, and its reader would take a
    /// truncated body for a complete one.
    pub(crate) fn abort_unfinished_bodies(&mut self) -> bool {
        let mut is_any = false;
        for entry in self.table.iter_mut() {
            if let Some(body) = entry.downcast_mut::<HostOutgoingBody>() {
                let (placeholder, _) = HostOutgoingBody::new(StreamContext::Response, None, 1, 1);
                std::mem::replace(body, placeholder).abort();
                is_any = true;
            }
        }
        is_any
    }
}

impl WasiView for StoreData {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        self.check_open_body();
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for StoreData {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        self.check_open_body();
        WasiHttpCtxView { hooks: &mut self.hooks, table: &mut self.table, ctx: &mut self.http }
    }
}
