//! Exchanges that need nothing of the world.
//!
//! Most calls compute an answer from their request and touch nothing else. A guest that takes whole
//! exchanges is first run in a bare instance of its module (`attempt`), with none of the host's
//! functions behind its imports but clocks and a seed, and no component around it, which saves a
//! quarter of the instructions. The first other import that it calls ends that attempt. Nothing has
//! left the sandbox until then, so the exchange begins anew in an instance of the component, and
//! nobody can tell.

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
use crate::telemetry::access_log::Report;

/// What the module of a guest exports, by the names of the canonical ABI.
const MEMORY: &str = "memory";
const REALLOC: &str = "cabi_realloc";
const ATTEMPT: &str = "midge:mcp/exchange@0.1.0#attempt";
/// Set up by the component, not by the module itself.
const INITIALIZE: &str = "_initialize";

/// The bytes that `attempt` leaves its result in: whether there is one, the status, and where fields
/// and body are.
const RESULT: usize = 24;

/// An attempt has its thread for itself, without the stack of its own that it would take to yield it.
/// One that takes longer than these ticks, which is 10 to 20 ms, begins anew where it can.
const MAX_TICKS: u32 = 1;

/// The module of a guest, ready to be instantiated without its component.
pub(crate) struct FastPath {
    pre: InstancePre<Sandbox>,
    memory: ModuleExport,
    realloc: ModuleExport,
    attempt: ModuleExport,
    backoff: RetryBackoff,
}

/// What the store of a bare instance holds.
struct Sandbox {
    memory: MemoryLimit,
    started: Instant,
    /// How often it was found busy.
    ticks: u32,
}

/// Why an attempt ends without an answer, beside what a guest does in its component as well.
#[derive(Clone, Debug, thiserror::Error)]
enum Bailout {
    /// An import was called that only the component has.
    #[error("the guest calls {interface}#{name}")]
    Import { interface: Arc<str>, name: Arc<str> },
    #[error("the guest takes long")]
    Time,
    /// Of a guest that is not built with the SDK.
    #[error("the guest does not do as its interface says")]
    Contract,
}

impl FastPath {
    /// Looks for the module in a component. `None` where there is none that fits: all the same to
    /// the guest, which is then always run as a component.
    pub(crate) fn find(engine: &Engine, component: &[u8]) -> Option<Self> {
        let module = Module::new(engine, attempter(component)?).ok()?;
        let export = |name| module.get_export_index(name);
        let (memory, realloc, attempt) = (export(MEMORY)?, export(REALLOC)?, export(ATTEMPT)?);
        if export(INITIALIZE).is_some() {
            return None;
        }
        let pre = linker(engine, &module).ok()?.instantiate_pre(&module).ok()?;
        Some(Self { pre, memory, realloc, attempt, backoff: RetryBackoff::default() })
    }

    /// RawResponses a request, unless that takes more than the request.
    ///
    /// Whatever ends the attempt, a trap or a limit as well, is found again and reported by the
    /// component.
    pub(crate) fn run(
        &self,
        grants: &Grants,
        report: &Report,
        request: &BufferedRequest,
    ) -> Option<RawResponse> {
        let chance = self.backoff.chance(request.kind)?;
        let sandbox =
            Sandbox { memory: MemoryLimit::new(grants), started: report.started(), ticks: 0 };
        let mut store = Store::new(self.pre.module().engine(), sandbox);
        store.limiter(|sandbox| &mut sandbox.memory);
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(|mut store| {
            let sandbox = store.data_mut();
            sandbox.ticks += 1;
            let is_long = sandbox.ticks > MAX_TICKS;
            if is_long { Err(Bailout::Time.into()) } else { Ok(UpdateDeadline::Continue(1)) }
        });
        let answer = self.call(&mut store, &request.head, &request.body);
        let exchange = report.exchange();
        match &answer {
            Ok(Some(_)) => tracing::trace!(target: "midge::attempt", exchange, "answered"),
            Ok(None) => {
                let reason = "the guest waits, streams or leaves work";
                tracing::debug!(target: "midge::attempt", exchange, reason, "begins anew");
            }
            Err(error) => {
                let reason = error.root_cause();
                tracing::debug!(target: "midge::attempt", exchange, %reason, "begins anew");
            }
        }
        let answer = answer.ok().flatten();
        self.backoff.tell(chance, answer.is_some());
        answer
    }

    /// Calls `attempt` as the canonical ABI says.
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

/// The module of a component that attempts exchanges: the only one, in a component that is not made
/// of others, which could stand between the module and the host.
fn attempter(component: &[u8]) -> Option<&[u8]> {
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

/// Imports of a module. Clocks and a seed for hash maps give what they give anywhere; all others
/// end the attempt.
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

/// Gives seconds and nanoseconds.
fn wall_now(caller: Caller<'_, Sandbox>, result: u32) -> wasmtime::Result<()> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
    let (seconds, nanoseconds) = (now.as_secs().to_le_bytes(), now.subsec_nanos().to_le_bytes());
    write(caller, result, &[&seconds[..], &nanoseconds].concat())
}

/// Gives two numbers that are hard to foresee, and no secret.
fn seed(caller: Caller<'_, Sandbox>, result: u32) -> wasmtime::Result<()> {
    let number = |n: u64| RandomState::new().hash_one(n).to_le_bytes();
    write(caller, result, &[number(0), number(1)].concat())
}

fn write(mut caller: Caller<'_, Sandbox>, at: u32, bytes: &[u8]) -> wasmtime::Result<()> {
    let memory =
        caller.get_export(MEMORY).and_then(Extern::into_memory).ok_or(Bailout::Contract)?;
    Ok(memory.write(caller, at as usize, bytes)?)
}

/// Reads an `option<answer>`; `None` where it is no such thing.
fn read_result(memory: &[u8], at: usize) -> Option<Option<RawResponse>> {
    let result = memory.get(at..at.checked_add(RESULT)?)?;
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

/// What is known of earlier attempts, so that calls which need the world are seldom made twice.
struct RetryBackoff([AtomicU8; RetryBackoff::KINDS as usize]);

/// The place of a kind of request.
struct Slot(usize);

impl RetryBackoff {
    const KINDS: u8 = 255;
    /// How many of a kind are not attempted after one that failed.
    const PAUSE: u8 = 200;

    /// Whether a request is worth an attempt.
    fn chance(&self, kind: u64) -> Option<Slot> {
        let kind = usize::try_from(kind % u64::from(Self::KINDS)).ok()?;
        let pause = self.0.get(kind)?;
        match pause.load(Ordering::Relaxed) {
            0 => Some(Slot(kind)),
            left => {
                pause.store(left - 1, Ordering::Relaxed);
                None
            }
        }
    }

    fn tell(&self, chance: Slot, good: bool) {
        if let (Some(pause), false) = (self.0.get(chance.0), good) {
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
    fn a_kind_that_failed_is_left_alone_for_a_while() {
        let backoff = RetryBackoff::default();
        let (one, other) = (7, 8);
        let chance = backoff.chance(one);
        assert!(chance.is_some_and(|chance| {
            backoff.tell(chance, false);
            true
        }));
        assert!((0..RetryBackoff::PAUSE).all(|_| backoff.chance(one).is_none()));
        assert!(backoff.chance(one).is_some());
        assert!(backoff.chance(other).is_some());
    }

    #[test]
    fn a_result_that_points_nowhere_is_none() {
        let mut memory = vec![0; 64];
        memory[..24].copy_from_slice(&[
            1, 0, 0, 0, 200, 0, 0, 0, 32, 0, 0, 0, 2, 0, 0, 0, 34, 0, 0, 0, 30, 0, 0, 0,
        ]);
        let answer = read_result(&memory, 0).flatten();
        assert!(answer.is_some_and(|answer| answer.status == 200 && answer.body.len() == 30));
        memory[20] = 31;
        assert!(read_result(&memory, 0).is_none(), "the body ends outside");
        memory[0] = 2;
        assert!(read_result(&memory, 0).is_none(), "no such case");
        assert!(read_result(&memory, 41).is_none());
        assert!(read_result(&memory, usize::MAX).is_none());
        assert!(read_result(&memory, 32).is_some_and(|none| none.is_none()));
    }
}
