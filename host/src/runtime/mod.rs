//! Wasmtime: components, their stores, and what instances are granted.

pub(crate) mod buffered;
pub(crate) mod component;
pub(crate) mod config_store;
pub(crate) mod engine;
pub(crate) mod fast_path;
pub(crate) mod guest_log;
pub(crate) mod host;
pub(crate) mod instance;
pub(crate) mod keyvalue;
pub(crate) mod outbound;
pub(crate) mod p3;
pub(crate) mod store;
