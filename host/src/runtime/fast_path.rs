//! The fast path: exchanges that run in a bare instance of the guest's core module.
//!
//! Most calls compute a response from their request and have no effect. A guest that exports
//! `midge:mcp/exchange` is first called in an instance of its module (`attempt`), without the component
//! around it, which saves a quarter of the instructions. Its imports are clocks and a seed; every other
//! import ends the attempt. Until then nothing has left the sandbox, so the host retries in a full
//! component instance, and the retry is not observable.

use std::{
    hash::{BuildHasher, RandomState},
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use wasmparser::{Parser, Payload};
use wasmtime::{
    Caller, Engine, Extern, ExternType, InstancePre, Linker, Module, ModuleExport, Store,
    UpdateDeadline,
};

use super::{
    buffered::{BufferedRequest, RawResponse},
    grants::Grants,
    limits::MemoryLimit,
};
use crate::telemetry::access_log::ExchangeRecord;

/// Exports of the core module of a guest, by the names of the canonical ABI.
const MEMORY: &str = "memory";
const REALLOC: &str = "cabi_realloc";
const ATTEMPT: &str = "midge:mcp/exchange@0.1.0#attempt";
/// A module with this export is initialized by its component.
const INITIALIZE: &str = "_initialize";

/// Size of the result of `attempt`: whether there is a response, its status, and the places of its fields
/// and its body.
const RESULT_SIZE: usize = 24;

/// An attempt runs synchronously, without a fiber, so it cannot yield. After so many ticks, which is 10
/// to 20 ms, the host retries in a component instance, which can.
const MAX_TICKS: u32 = 1;

/// The core module of a guest, ready to be instantiated without its component.
pub(crate) struct FastPath {
    pre: InstancePre<Sandbox>,
    memory: ModuleExport,
    realloc: ModuleExport,
    attempt: ModuleExport,
    backoff: RetryBackoff,
}

/// The data of the store of a bare instance.
struct Sandbox {
    memory: MemoryLimit,
    started: Instant,
    /// How many ticks it has run for.
    ticks: u32,
}

/// Why an attempt ends without a response, apart from traps that a component instance has as well.
#[derive(Clone, Debug, thiserror::Error)]
enum Bailout {
    /// The guest has called an import that only the component has.
    #[error("the guest calls {interface}#{name}")]
    Import { interface: Arc<str>, name: Arc<str> },
    #[error("the guest runs for too long")]
    Time,
    /// A guest that is not built with the SDK.
    #[error("the guest violates its interface")]
    Contract,
}

impl FastPath {
    /// Finds the core module of a component. Returns `None` if none is suitable; the guest then always
    /// runs as a component.
    pub(super) fn find(engine: &Engine, component: &[u8]) -> Option<Self> {
        let module = Module::new(engine, module_with_attempt(component)?).ok()?;
        let export = |name| module.get_export_index(name);
        let (memory, realloc, attempt) = (export(MEMORY)?, export(REALLOC)?, export(ATTEMPT)?);
        if export(INITIALIZE).is_some() {
            return None;
        }
        let pre = linker(engine, &module).ok()?.instantiate_pre(&module).ok()?;
        Some(Self { pre, memory, realloc, attempt, backoff: RetryBackoff::default() })
    }

    /// Responds to a request, or returns `None` if the host has to retry in a component instance.
    ///
    /// Every failure of the attempt, a trap or a limit included, occurs there again and is logged then.
    pub(crate) fn run(
        &self,
        grants: &Grants,
        record: &ExchangeRecord,
        request: &BufferedRequest,
    ) -> Option<RawResponse> {
        let slot = self.backoff.slot(request.kind)?;
        let mut store = self.store(grants, record);
        let result = self.call(&mut store, &request.head, &request.body);
        log_result(record.exchange(), &result);
        let response = result.ok().flatten();
        self.backoff.update(slot, response.is_some());
        response
    }

    fn store(&self, grants: &Grants, record: &ExchangeRecord) -> Store<Sandbox> {
        let memory = MemoryLimit::new(grants);
        let sandbox = Sandbox { memory, started: record.started(), ticks: 0 };
        let mut store = Store::new(self.pre.module().engine(), sandbox);
        store.limiter(|sandbox| &mut sandbox.memory);
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(|mut store| {
            let sandbox = store.data_mut();
            sandbox.ticks += 1;
            let is_over = sandbox.ticks > MAX_TICKS;
            if is_over { Err(Bailout::Time.into()) } else { Ok(UpdateDeadline::Continue(1)) }
        });
        store
    }

    /// Calls `attempt` by the canonical ABI.
    fn call(
        &self,
        store: &mut Store<Sandbox>,
        head: &[u8],
        body: &[u8],
    ) -> wasmtime::Result<Option<RawResponse>> {
        let instance = self.pre.instantiate(&mut *store)?;
        let mut export = |export| instance.get_module_export(&mut *store, export);
        let (
            Some(Extern::Memory(memory)),
            Some(Extern::Func(realloc)),
            Some(Extern::Func(attempt)),
        ) = (export(&self.memory), export(&self.realloc), export(&self.attempt))
        else {
            return Err(Bailout::Contract.into());
        };
        let realloc = realloc.typed::<(u32, u32, u32, u32), u32>(&*store)?;
        let attempt = attempt.typed::<(u32, u32, u32, u32), u32>(&*store)?;
        let mut places = [(0, 0); 2];
        for (place, bytes) in places.iter_mut().zip([head, body]) {
            let length = u32::try_from(bytes.len())?;
            let at = realloc.call(&mut *store, (0, 0, 1, length))?;
            memory.write(&mut *store, at as usize, bytes)?;
            *place = (at, length);
        }
        let [(head, head_length), (body, body_length)] = places;
        let result = attempt.call(&mut *store, (head, head_length, body, body_length))?;
        read_result(memory.data(&*store), result as usize).ok_or_else(|| Bailout::Contract.into())
    }
}

/// Logs whether an attempt has led to a response.
fn log_result(exchange: u64, result: &wasmtime::Result<Option<RawResponse>>) {
    match result {
        Ok(Some(_)) => tracing::trace!(target: "midge::attempt", exchange, "responded"),
        Ok(None) => {
            let reason = "the guest waits, streams or leaves work";
            tracing::debug!(target: "midge::attempt", exchange, reason, "retrying in a component instance");
        }
        Err(error) => {
            let reason = error.root_cause();
            tracing::debug!(target: "midge::attempt", exchange, %reason, "retrying in a component instance");
        }
    }
}

/// Returns the module of a component that exports `attempt`. There must be exactly one, and none in a
/// nested component, which could stand between the module and the host.
fn module_with_attempt(component: &[u8]) -> Option<&[u8]> {
    let (mut found, mut inner) = (None, 0);
    for payload in Parser::new(0).parse_all(component) {
        match payload.ok()? {
            Payload::ComponentSection { unchecked_range, .. } => {
                inner = inner.max(unchecked_range.end);
            }
            Payload::ModuleSection { unchecked_range, .. } if unchecked_range.start < inner => {
                return None;
            }
            Payload::ModuleSection { unchecked_range, .. } => {
                let module = component.get(unchecked_range)?;
                if exports_attempt(module) && found.replace(module).is_some() {
                    return None;
                }
            }
            _ => {}
        }
    }
    found
}

fn exports_attempt(module: &[u8]) -> bool {
    Parser::new(0).parse_all(module).any(|payload| match payload {
        Ok(Payload::ExportSection(exports)) => {
            exports.into_iter().any(|export| export.is_ok_and(|export| export.name == ATTEMPT))
        }
        _ => false,
    })
}

/// Defines the imports of a module: clocks and a seed for hash maps. All others end the attempt.
fn linker(engine: &Engine, module: &Module) -> wasmtime::Result<Linker<Sandbox>> {
    let mut linker = Linker::new(engine);
    for import in module.imports() {
        let ExternType::Func(ty) = import.ty() else { continue };
        let (interface, name) = (import.module(), import.name());
        match (interface.split('@').next().unwrap_or_default(), name) {
            ("wasi:clocks/monotonic-clock", "now") => {
                linker.func_wrap(interface, name, monotonic_now)?
            }
            ("wasi:clocks/wall-clock", "now") => linker.func_wrap(interface, name, wall_now)?,
            ("wasi:random/insecure-seed", "insecure-seed") => {
                linker.func_wrap(interface, name, seed)?
            }
            _ => {
                let needs = Bailout::Import { interface: interface.into(), name: name.into() };
                linker.func_new(interface, name, ty, move |_, _, _| Err(needs.clone().into()))?
            }
        };
    }
    Ok(linker)
}

fn monotonic_now(caller: Caller<'_, Sandbox>) -> u64 {
    u64::try_from(caller.data().started.elapsed().as_nanos()).unwrap_or(u64::MAX)
}

/// Writes seconds and nanoseconds.
fn wall_now(caller: Caller<'_, Sandbox>, result: u32) -> wasmtime::Result<()> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
    let (seconds, nanoseconds) = (now.as_secs().to_le_bytes(), now.subsec_nanos().to_le_bytes());
    write(caller, result, &[&seconds[..], &nanoseconds].concat())
}

/// Writes two numbers that are hard to guess, and not secret.
fn seed(caller: Caller<'_, Sandbox>, result: u32) -> wasmtime::Result<()> {
    let number = |n: u64| RandomState::new().hash_one(n).to_le_bytes();
    write(caller, result, &[number(0), number(1)].concat())
}

fn write(mut caller: Caller<'_, Sandbox>, at: u32, bytes: &[u8]) -> wasmtime::Result<()> {
    let memory =
        caller.get_export(MEMORY).and_then(Extern::into_memory).ok_or(Bailout::Contract)?;
    Ok(memory.write(caller, at as usize, bytes)?)
}

/// Reads an `option<answer>`. Returns `None` if the memory holds none.
fn read_result(memory: &[u8], at: usize) -> Option<Option<RawResponse>> {
    let result = memory.get(at..at.checked_add(RESULT_SIZE)?)?;
    let number = |at: usize| {
        let bytes = result.get(at..at + 4)?.try_into().ok()?;
        usize::try_from(u32::from_le_bytes(bytes)).ok()
    };
    let list = |at: usize| {
        let start = number(at)?;
        Some(memory.get(start..start.checked_add(number(at + 4)?)?)?.to_vec())
    };
    match result.first()? {
        0 => Some(None),
        1 => {
            let status = u16::from_le_bytes(result.get(4..6)?.try_into().ok()?);
            Some(Some(RawResponse { status, fields: list(8)?, body: list(16)? }))
        }
        _ => None,
    }
}

/// Pauses of kinds of requests after an attempt that failed, so that calls with effects seldom run twice.
struct RetryBackoff([AtomicU8; RetryBackoff::KINDS as usize]);

/// The slot of a kind of request.
struct BackoffSlot(usize);

impl RetryBackoff {
    const KINDS: u8 = 255;
    /// How many requests of a kind are not attempted after a failure.
    const PAUSE: u8 = 200;

    /// Returns the slot of a kind, or `None` during its pause.
    fn slot(&self, kind: u64) -> Option<BackoffSlot> {
        let kind = usize::try_from(kind % u64::from(Self::KINDS)).ok()?;
        let pause = self.0.get(kind)?;
        match pause.load(Ordering::Relaxed) {
            0 => Some(BackoffSlot(kind)),
            left => {
                pause.store(left - 1, Ordering::Relaxed);
                None
            }
        }
    }

    /// Starts a pause if the attempt has failed.
    fn update(&self, slot: BackoffSlot, is_success: bool) {
        if let (Some(pause), false) = (self.0.get(slot.0), is_success) {
            pause.store(Self::PAUSE, Ordering::Relaxed);
        }
    }
}

impl Default for RetryBackoff {
    fn default() -> Self {
        Self(std::array::from_fn(|_| AtomicU8::new(0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_not_attempted_for_a_while_after_a_failure() {
        let backoff = RetryBackoff::default();
        let (one, other) = (7, 8);
        let slot = backoff.slot(one);
        assert!(slot.is_some_and(|slot| {
            backoff.update(slot, false);
            true
        }));
        assert!((0..RetryBackoff::PAUSE).all(|_| backoff.slot(one).is_none()));
        assert!(backoff.slot(one).is_some());
        assert!(backoff.slot(other).is_some());
    }

    #[test]
    fn a_result_outside_the_memory_is_refused() {
        let mut memory = vec![0; 64];
        memory[..24].copy_from_slice(&[
            1, 0, 0, 0, 200, 0, 0, 0, 32, 0, 0, 0, 2, 0, 0, 0, 34, 0, 0, 0, 30, 0, 0, 0,
        ]);
        let response = read_result(&memory, 0).flatten();
        assert!(
            response.is_some_and(|response| response.status == 200 && response.body.len() == 30)
        );
        memory[20] = 31;
        assert!(read_result(&memory, 0).is_none(), "the body ends outside");
        memory[0] = 2;
        assert!(read_result(&memory, 0).is_none(), "no such case");
        assert!(read_result(&memory, 41).is_none());
        assert!(read_result(&memory, usize::MAX).is_none());
        assert!(read_result(&memory, 32).is_some_and(|none| none.is_none()));
    }
}
