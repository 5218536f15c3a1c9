//! What the store of an instance holds: its view of the world, and its limits.

use std::{collections::BTreeMap, sync::Arc};

use wasmtime::{ResourceLimiter, component::ResourceTable};
use wasmtime_wasi::{
    WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView,
    cli::{StdinStream, StdoutStream},
};
use wasmtime_wasi_config::WasiConfigVariables;
use wasmtime_wasi_http::{
    WasiHttpCtx, WasiHttpCtxView, WasiHttpView,
    p2::body::{HostOutgoingBody, StreamContext},
};

use crate::{
    Config, HostError,
    runtime::{
        config_store,
        guest_log::{Channel, GuestOutput},
        keyvalue,
        outbound::{Outbound, OutboundRule},
        p3::Leaving,
    },
    telemetry::access_log::Report,
};

/// What an instance may have of the host at once: streams, requests, timers, fields. One more is a
/// trap. With the limit on fields it bounds the memory of the host behind one instance.
const MAX_RESOURCES: usize = 1000;
/// Bytes in one set of headers or trailers, with what they take beside their text.
pub(crate) const MAX_FIELDS: usize = 32 << 10;

/// What guests were given by name; resolved once, when the host starts.
pub(crate) struct Grants {
    env: Vec<(String, String)>,
    config: Arc<WasiConfigVariables>,
    spin_config: Arc<BTreeMap<String, String>>,
    keyvalue: Arc<keyvalue::Stores>,
    outbound: Arc<[OutboundRule]>,
    memory: usize,
}

impl Grants {
    pub(crate) fn new(config: &Config) -> Result<Self, HostError> {
        let env = config.env.iter().map(|entry| variable(entry)).collect::<Result<_, _>>()?;
        let pairs = config.wasi_config.iter().map(|entry| setting(entry));
        let pairs: BTreeMap<_, _> = pairs.collect::<Result<_, _>>()?;
        Ok(Self {
            env,
            config: Arc::new(pairs.clone().into_iter().collect()),
            spin_config: Arc::new(pairs),
            keyvalue: Arc::new(keyvalue::Stores::new(config)?),
            outbound: config.allow_outbound.clone().into(),
            memory: usize::try_from(config.memory).unwrap_or(usize::MAX),
        })
    }
}

/// `NAME=VALUE`, or `NAME` alone for the host's own value.
fn variable(entry: &str) -> Result<(String, String), HostError> {
    let refuse = |reason: String| HostError::Setting { name: "env", reason };
    match entry.split_once('=') {
        Some(("", _)) => Err(refuse(format!("`{entry}` has no name"))),
        Some((name, value)) => Ok((name.to_owned(), value.to_owned())),
        None => match std::env::var(entry) {
            Ok(value) => Ok((entry.to_owned(), value)),
            Err(error) => Err(refuse(format!("cannot pass on `{entry}`: {error}"))),
        },
    }
}

fn setting(entry: &str) -> Result<(String, String), HostError> {
    match entry.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err(HostError::Setting {
            name: "wasi_config",
            reason: format!("`{entry}` is not NAME=VALUE"),
        }),
    }
}

/// The host's side of one instance.
pub(crate) struct State {
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
    leaving: Leaving,
}

impl State {
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
            leaving: Leaving::default(),
        }
    }

    /// The same for a guest of WASI 0.3.
    pub(crate) fn of_p3(grants: &Grants, report: &Arc<Report>) -> Self {
        Self { is_p3: true, ..Self::new(grants, report) }
    }

    /// The calls under way of a guest of WASI 0.3.
    pub(crate) fn leaving(&mut self) -> &mut Leaving {
        &mut self.leaving
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

    pub(crate) fn limiter(&mut self) -> &mut dyn ResourceLimiter {
        &mut self.memory
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

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        self.look_for_answer();
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for State {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        self.look_for_answer();
        WasiHttpCtxView { hooks: &mut self.hooks, table: &mut self.table, ctx: &mut self.http }
    }
}

/// Bounds the memories of an instance together.
pub(crate) struct MemoryLimit {
    limit: usize,
    used: usize,
    refused: bool,
}

impl MemoryLimit {
    pub(crate) fn new(grants: &Grants) -> Self {
        Self { limit: grants.memory, used: 0, refused: false }
    }
}

/// Elements of all kinds of tables; the largest guests have a few thousand functions.
const MAX_TABLE: usize = 100_000;

impl ResourceLimiter for MemoryLimit {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let used = self.used.saturating_add(desired.saturating_sub(current));
        let allowed = used <= self.limit;
        if allowed {
            self.used = used;
        } else {
            self.refused = true;
        }
        Ok(allowed)
    }

    fn table_growing(
        &mut self,
        _current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        Ok(desired <= MAX_TABLE)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    #[test]
    fn a_variable_is_given_or_passed_on() {
        assert_eq!(variable("A=b=c").unwrap(), ("A".into(), "b=c".into()));
        assert_eq!(variable("CARGO_PKG_NAME").unwrap().1, "midge-host");
        assert!(variable("=x").is_err());
        assert!(variable("MIDGE_TEST_SURELY_UNSET").is_err());
        assert!(setting("x").is_err());
    }

    #[test]
    fn memories_are_bounded_together() {
        let mut limit = MemoryLimit { limit: 100, used: 0, refused: false };
        assert!(limit.memory_growing(0, 60, None).unwrap());
        assert!(limit.memory_growing(0, 40, None).unwrap());
        assert!(!limit.memory_growing(40, 50, None).unwrap());
        assert!(limit.refused);
    }
}
