//! The only code that knows WASI's types, and the native stand-ins for it.
//!
//! Thin adapters between a host and the exchange, one for each version of `wasi:http`, of which the
//! feature `p3` picks one. Natively, handlers get what unit tests need: a sleep, an empty store.

#[cfg(any(feature = "wasi-config", not(target_family = "wasm")))]
pub(crate) mod config;
pub(crate) mod fetch;
#[cfg(any(feature = "keyvalue", not(target_family = "wasm")))]
pub mod keyvalue;
#[cfg(target_family = "wasm")]
mod log;
#[cfg(target_family = "wasm")]
pub(crate) mod p2;
#[cfg(all(target_family = "wasm", feature = "p3"))]
pub(crate) mod p3;
#[cfg(target_family = "wasm")]
mod panic;
pub(crate) mod runtime;
#[cfg(all(feature = "spin", feature = "p3"))]
pub mod spin;
#[cfg(target_family = "wasm")]
pub(crate) mod stdio;
#[cfg(all(target_family = "wasm", any(feature = "keyvalue", feature = "wasi-config")))]
mod storage;
#[cfg(target_family = "wasm")]
mod wasi_http;

#[cfg(all(target_family = "wasm", not(feature = "p3")))]
pub(crate) use p2::client;
#[cfg(all(target_family = "wasm", feature = "p3"))]
pub(crate) use p3::client;
