//! Wasmtime: engines, components, stores, and what instances are granted.

pub(crate) mod admission;
pub(crate) mod buffered;
mod cancel_signals;
pub(crate) mod component;
mod config_store;
mod engine;
mod fairness;
mod fast_path;
mod grants;
pub(crate) mod guest_log;
pub(crate) mod host;
pub(crate) mod host_state;
pub(crate) mod instance;
mod keyvalue;
mod limits;
pub(crate) mod linker;
mod memory_total;
mod outbound;
pub(crate) mod p2;
pub(crate) mod p3;
pub(crate) mod store;
