//! The fast path: exchanges that run in a bare instance of the guest's core module.
//!
//! Most calls compute a response from their request and have no effect. A guest that exports
//! `midge:mcp/exchange` is first called in an instance of its module, without the component around it,
//! which saves half of the time. Its imports are clocks and a seed; every other import ends the
//! attempt. Until then nothing has left the sandbox, so the host retries in a full component instance,
//! and the retry is not observable.

mod bailout;
mod call_kind;
mod imports;
mod module;
mod retry_backoff;

use std::{sync::Arc, time::Instant};

use wasmtime::{Engine, Extern, InstancePre, ModuleExport, Store, UpdateDeadline};

use self::{
    bailout::Bailout,
    call_kind::CallKind,
    imports::Sandbox,
    module::{ATTEMPT, MEMORY, NoFastPath, REALLOC},
    retry_backoff::RetryBackoff,
};
use super::{
    admission::Peer,
    buffered::{BufferedRequest, RawResponse},
    engine,
    grants::Grants,
    limits::MemoryLimit,
};
use crate::telemetry::access_log::ExchangeRecord;

/// Size of the result: whether there is a response, its status, and the places of its fields and its
/// body.
const RESULT_SIZE: usize = 24;

/// Bytes of a request body. A larger one takes more time than an attempt has.
const MAX_BODY: usize = 64 << 10;

/// An attempt runs synchronously, without a fiber, so it cannot yield. After so many ticks, which is 10
/// to 20 ms, the host retries in a component instance, which can.
const MAX_TICKS: u32 = 1;

/// Stack that the host itself needs, below that of a guest: for the functions that a guest calls, and
/// for a trap.
const HOST_STACK: usize = 256 << 10;

/// The core module of a guest, ready to be instantiated without its component.
pub(crate) struct FastPath {
    pre: InstancePre<Sandbox>,
    memory: ModuleExport,
    realloc: ModuleExport,
    attempt: ModuleExport,
    backoff: RetryBackoff,
}

impl FastPath {
    /// Finds the core module of a component. Logs once why there is none that is suitable; the guest
    /// then always runs as a component.
    pub(super) fn load(engine: &Engine, component: &[u8]) -> Option<Self> {
        match Self::try_load(engine, component) {
            Ok(fast_path) => Some(fast_path),
            Err(reason) => {
                tracing::debug!(target: "midge::fast_path", %reason, "the component has no fast path");
                None
            }
        }
    }

    fn try_load(engine: &Engine, component: &[u8]) -> Result<Self, NoFastPath> {
        let module = module::compile(engine, component)?;
        let export = |name| module.get_export_index(name).ok_or(NoFastPath::Missing(name));
        let (memory, realloc, attempt) = (export(MEMORY)?, export(REALLOC)?, export(ATTEMPT)?);
        let pre = imports::linker(engine, &module)?.instantiate_pre(&module)?;
        Ok(Self { pre, memory, realloc, attempt, backoff: RetryBackoff::default() })
    }

    /// Responds to a request, or returns `None` if the host has to use a component instance.
    ///
    /// Every failure of the attempt, a trap or a limit included, occurs there again and is logged then.
    pub(crate) fn run(
        &self,
        grants: &Grants,
        peer: &Arc<Peer>,
        record: &ExchangeRecord,
        request: &BufferedRequest,
    ) -> Option<RawResponse> {
        let exchange = record.exchange();
        if !has_stack() {
            let reason = "the thread has too little stack";
            tracing::debug!(target: "midge::fast_path", exchange, reason, "skipped");
            return None;
        }
        let body = request.body.bytes();
        if body.len() > MAX_BODY {
            return None;
        }
        let kind = CallKind::of(&request.parts.headers, body);
        let attempt = self.backoff.attempt(kind)?;
        let begun = Instant::now();
        let mut store = self.store(grants, peer, record);
        match self.call(&mut store, &request.head_lines(), body) {
            Ok(response) => {
                tracing::trace!(target: "midge::fast_path", exchange, "responded");
                Some(response)
            }
            Err(error) => {
                attempt.bailed_out(begun.elapsed());
                let reason = error.root_cause();
                tracing::debug!(target: "midge::fast_path", exchange, %reason, "bailed out");
                None
            }
        }
    }

    fn store(&self, grants: &Grants, peer: &Arc<Peer>, record: &ExchangeRecord) -> Store<Sandbox> {
        let memory = MemoryLimit::new(grants, Some(peer));
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

    /// Calls the guest by the canonical ABI.
    fn call(
        &self,
        store: &mut Store<Sandbox>,
        head: &[u8],
        body: &[u8],
    ) -> wasmtime::Result<RawResponse> {
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
        let result = read_result(memory.data(&*store), result as usize);
        Ok(result.ok_or(Bailout::Contract)?.ok_or(Bailout::NoResponse)?)
    }
}

/// Whether the stack of this thread has room for a guest. A guest that overflows its own share traps;
/// one that overflows the stack of a thread ends the process.
fn has_stack() -> bool {
    stacker::remaining_stack().is_some_and(|left| left >= engine::GUEST_STACK + HOST_STACK)
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

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use proptest::{collection::vec, prelude::*, sample::Index};

    use super::*;

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

    /// Numbers near the size of the memory below, and any others.
    fn number() -> impl Strategy<Value = u32> {
        prop_oneof![0..320_u32, any::<u32>(), (u32::MAX - 300)..=u32::MAX]
    }

    proptest! {
        #[test]
        fn a_result_is_read_as_it_was_written(
            mut memory in vec(any::<u8>(), 24..300),
            at: Index,
            status: u16,
            [fields, fields_length, body, body_length] in [number(), number(), number(), number()],
        ) {
            let at = at.index(memory.len() - RESULT_SIZE + 1);
            memory[at] = 1;
            memory[at + 4..at + 6].copy_from_slice(&status.to_le_bytes());
            for (number, to) in [fields, fields_length, body, body_length].iter().zip([8, 12, 16, 20]) {
                memory[at + to..at + to + 4].copy_from_slice(&number.to_le_bytes());
            }
            let part = |start: u32, length: u32| {
                let (start, end) = (u64::from(start), u64::from(start) + u64::from(length));
                let is_inside = end <= memory.len() as u64;
                is_inside.then(|| memory[start as usize..end as usize].to_vec())
            };
            let expected = part(fields, fields_length).zip(part(body, body_length));
            let response = read_result(&memory, at).map(|response| response.unwrap());
            let found = response.as_ref().map(|response| response.status);
            prop_assert_eq!(found, expected.is_some().then_some(status));
            prop_assert_eq!(response.map(|response| (response.fields, response.body)), expected);
        }

        #[test]
        fn any_memory_can_be_read(memory in vec(any::<u8>(), 0..100), at in 0..120_usize) {
            let response = read_result(&memory, at);
            let is_outside = at + RESULT_SIZE > memory.len();
            prop_assert!(!is_outside || response.is_none());
        }
    }
}
