//! Limits of an instance.

use std::sync::Arc;

use wasmtime::ResourceLimiter;

use super::{admission::Admission, grants::Grants};
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
    admission: Arc<Admission>,
    refusal: Option<Fault>,
}

impl MemoryLimit {
    pub(crate) fn new(grants: &Grants) -> Self {
        let (limit, admission) = (grants.memory, Arc::clone(&grants.admission));
        Self { limit, used: 0, admission, refusal: None }
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
        if !self.admission.take_memory(bytes) {
            return Err(Fault::Overloaded("`memory_total` is used up"));
        }
        self.used = used;
        Ok(())
    }
}

impl Drop for MemoryLimit {
    fn drop(&mut self) {
        self.admission.give_back_memory(self.used);
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
        let grown = self.grow(desired.saturating_sub(current));
        let is_allowed = grown.is_ok();
        self.refusal = grown.err().or(self.refusal.take());
        Ok(is_allowed)
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
        MemoryLimit { limit, used: 0, admission: Admission::new(&config), refusal: None }
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
        let admission = Arc::clone(&first.admission);
        let mut second = MemoryLimit { limit: 100, used: 0, admission, refusal: None };
        assert!(first.memory_growing(0, 100, None).unwrap());
        assert!(!second.memory_growing(0, 60, None).unwrap());
        assert!(matches!(second.refusal(), Some(Fault::Overloaded(_))));
        drop(first);
        assert!(second.memory_growing(0, 60, None).unwrap(), "it was given back");
    }
}
