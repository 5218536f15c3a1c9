//! Reasons why an attempt on the fast path is abandoned.

use std::sync::Arc;

/// Why an attempt ends without a response, apart from traps that a component instance has as well.
#[derive(Clone, Debug, thiserror::Error)]
pub(super) enum Bailout {
    /// The guest has called an import that only the component has.
    #[error("the guest calls {interface}#{name}")]
    Import { interface: Arc<str>, name: Arc<str> },
    #[error("the guest waits, streams or defers work")]
    NoResponse,
    #[error("the guest runs for too long")]
    Time,
    /// A guest that is not built with the SDK.
    #[error("the guest violates its interface")]
    Contract,
}
