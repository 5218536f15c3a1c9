//! How an exchange ended, and the parts of the host that have to know.

pub(crate) mod access_log;
pub(crate) mod cancellation;
pub(crate) mod fault;
pub(crate) mod h2_stall;
pub(crate) mod in_flight;
pub(crate) mod liveness;

/// What is logged unless `RUST_LOG` says otherwise. wasi-http warns of every peer that fails.
pub(crate) const DEFAULT_FILTER: &str = "info,wasmtime_wasi_http=error";
