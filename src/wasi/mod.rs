//! The only code that knows WASI's types: thin adapters between a host and the exchange.

#[cfg(feature = "wasi-config")]
pub(crate) mod config;
#[cfg(feature = "keyvalue")]
pub(crate) mod keyvalue;
pub(crate) mod p2;
mod panic;
#[cfg(any(feature = "keyvalue", feature = "wasi-config"))]
mod storage;
