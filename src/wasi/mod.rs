//! The only code that knows WASI's types: thin adapters between a host and the exchange, one for
//! each version of `wasi:http`. A component has one of them.

#[cfg(feature = "wasi-config")]
pub(crate) mod config;
mod export;
#[cfg(feature = "keyvalue")]
pub(crate) mod keyvalue;
mod log;
pub(crate) mod p2_client;
mod p2_io;
mod panic;
mod request;
pub(crate) mod stdio;
#[cfg(any(feature = "keyvalue", feature = "wasi-config"))]
mod storage;

#[cfg(not(feature = "p3"))]
#[allow(unsafe_code, missing_docs, unreachable_pub, clippy::all, clippy::restriction, reason = "generated")]
#[rustfmt::skip]
pub mod bindings;
#[cfg(not(feature = "p3"))]
pub(crate) mod p2;
#[cfg(not(feature = "p3"))]
pub(crate) mod whole;
#[cfg(not(feature = "p3"))]
pub(crate) use p2_client as client;

#[cfg(feature = "p3")]
pub(crate) mod p3;
#[cfg(feature = "p3")]
pub(crate) mod p3_client;
#[cfg(feature = "p3")]
mod p3_fields;
#[cfg(feature = "p3")]
pub(crate) use p3_client as client;
