//! What the host knows about exchanges and connections while they run, and what it logs of them.

pub(crate) mod access_log;
pub(crate) mod cancellation;
pub(crate) mod excerpt;
pub(crate) mod fault;
pub(crate) mod h2_stall;
pub(crate) mod in_flight;
pub(crate) mod liveness;
mod metadata;

/// The log filter if `RUST_LOG` is not set. `wasmtime_wasi_http` and `h2` warn about every peer that fails.
pub(crate) const DEFAULT_FILTER: &str = "info,wasmtime_wasi_http=error,h2=error";
