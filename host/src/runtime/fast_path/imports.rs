//! The imports of a module on the fast path: clocks and a seed. All others end the attempt.

use std::{
    hash::{BuildHasher, RandomState},
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use wasmtime::{Caller, Engine, Extern, ExternType, Linker, Module};

use super::{bailout::Bailout, module::MEMORY};
use crate::runtime::limits::MemoryLimit;

/// The data of the store of a bare instance.
pub(super) struct Sandbox {
    pub(super) memory: MemoryLimit,
    pub(super) started: Instant,
    /// Ticks that it has run for.
    pub(super) ticks: u32,
}

/// Defines the imports of a module.
pub(super) fn linker(engine: &Engine, module: &Module) -> wasmtime::Result<Linker<Sandbox>> {
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
                let bailout = Bailout::Import { interface: interface.into(), name: name.into() };
                linker.func_new(interface, name, ty, move |_, _, _| Err(bailout.clone().into()))?
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
