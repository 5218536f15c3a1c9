//! Limits of an instance.

use std::sync::Arc;

use wasmtime::ResourceLimiter;

use super::{
    admission::{Admission, Peer},
    grants::Grants,
};
use crate::telemetry::fault::Fault;

/// Resources of the host that an instance may hold at once: streams, requests, timers, fields. One more
/// is a trap. Together with the limit of fields it bounds what one instance costs the host.
pub(super) const MAX_RESOURCES: usize = 1000;
/// Bytes of one set of headers or trailers, overhead included.
pub(crate) const MAX_FIELDS: usize = 32 << 10;

/// Limits the memories of an instance together, and of all instances.
pub(crate) struct MemoryLimit {
    limit: usize,
    used: usize,
    /// By how much it was allowed to grow last, which may fail afterwards.
    last_grown: usize,
    admission: Arc<Admission>,
    /// `None` for an instance with several clients.
    peer: Option<Arc<Peer>>,
    refusal: Option<Fault>,
}

impl MemoryLimit {
    pub(crate) fn new(grants: &Grants, peer: Option<&Arc<Peer>>) -> Self {
        let (limit, admission) = (grants.memory, Arc::clone(&grants.admission));
        Self { limit, used: 0, last_grown: 0, admission, peer: peer.cloned(), refusal: None }
    }

    /// Returns why the guest was refused memory, if it was.
    pub(super) fn refusal(&self) -> Option<&Fault> {
        self.refusal.as_ref()
    }

    fn grow(&mut self, bytes: usize) -> Result<(), Fault> {
        let used = self.used.saturating_add(bytes);
        if used > self.limit {
            return Err(Fault::OutOfMemory);
        }
        self.admission.take_memory(self.peer.as_deref(), bytes)?;
        self.used = used;
        self.last_grown = bytes;
        Ok(())
    }
}

impl Drop for MemoryLimit {
    fn drop(&mut self) {
        self.admission.give_back_memory(self.peer.as_deref(), self.used);
    }
}

/// Elements of a table. The largest guests have a few thousand functions.
const MAX_TABLE: usize = 100_000;

impl ResourceLimiter for MemoryLimit {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        self.last_grown = 0;
        // A guest that goes on after a refusal does not fail by it.
        self.refusal = self.grow(desired.saturating_sub(current)).err();
        Ok(self.refusal.is_none())
    }

    fn memory_grow_failed(&mut self, _: wasmtime::Error) -> wasmtime::Result<()> {
        let bytes = std::mem::take(&mut self.last_grown);
        self.used = self.used.saturating_sub(bytes);
        self.admission.give_back_memory(self.peer.as_deref(), bytes);
        Ok(())
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
    use crate::config::Config;

    fn limit(limit: usize, memory_total: u64) -> MemoryLimit {
        let config = Config { memory_total: Some(memory_total), ..Config::default() };
        of(limit, Admission::new(&config))
    }

    fn of(limit: usize, admission: Arc<Admission>) -> MemoryLimit {
        MemoryLimit { limit, used: 0, last_grown: 0, admission, peer: None, refusal: None }
    }

    #[test]
    fn memories_share_a_limit() {
        let mut limit = limit(100, 1000);
        assert!(limit.memory_growing(0, 60, None).unwrap());
        assert!(limit.memory_growing(0, 40, None).unwrap());
        assert!(!limit.memory_growing(40, 50, None).unwrap());
        assert_eq!(limit.refusal(), Some(&Fault::OutOfMemory));
    }

    #[test]
    fn instances_share_a_limit() {
        let mut first = limit(100, 150);
        let mut second = of(100, Arc::clone(&first.admission));
        assert!(first.memory_growing(0, 100, None).unwrap());
        assert!(!second.memory_growing(0, 60, None).unwrap());
        assert!(matches!(second.refusal(), Some(Fault::Overloaded(_))));
        first.memory_grow_failed(wasmtime::Error::msg("no address space")).unwrap();
        assert!(second.memory_growing(0, 60, None).unwrap(), "the growth had failed");
        let mut third = of(100, Arc::clone(&first.admission));
        assert!(!third.memory_growing(0, 100, None).unwrap());
        drop(second);
        assert!(third.memory_growing(0, 100, None).unwrap(), "it was given back");
    }
}
