//! The only code that knows WASI's types: thin adapters between a host and the exchange.

#[allow(unsafe_code, missing_docs, unreachable_pub, clippy::all, reason = "generated")]
#[rustfmt::skip]
pub mod bindings;
mod log;
pub(crate) mod p2;
mod p2_io;
mod panic;
pub(crate) mod stdio;
pub(crate) mod whole;
