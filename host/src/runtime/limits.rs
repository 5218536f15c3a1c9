//! Limits of an instance.

use wasmtime::ResourceLimiter;

use super::grants::Grants;

/// Resources of the host that an instance may hold at once: streams, requests, timers, fields. One more
/// is a trap. Together with the limit of fields it bounds what one instance costs the host.
pub(super) const MAX_RESOURCES: usize = 1000;
/// Bytes of one set of headers or trailers, overhead included.
pub(crate) const MAX_FIELDS: usize = 32 << 10;

/// Limits the memories of an instance together.
pub(crate) struct MemoryLimit {
    limit: usize,
    used: usize,
    /// Whether the guest was refused memory.
    pub(super) refused: bool,
}

impl MemoryLimit {
    pub(crate) fn new(grants: &Grants) -> Self {
        Self { limit: grants.memory, used: 0, refused: false }
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
    fn memories_share_a_limit() {
        let mut limit = MemoryLimit { limit: 100, used: 0, refused: false };
        assert!(limit.memory_growing(0, 60, None).unwrap());
        assert!(limit.memory_growing(0, 40, None).unwrap());
        assert!(!limit.memory_growing(40, 50, None).unwrap());
        assert!(limit.refused);
    }
}
