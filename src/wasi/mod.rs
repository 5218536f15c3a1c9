//! The only code that knows WASI's types: thin adapters between a host and the exchange.

mod log;
pub(crate) mod p2;
mod p2_io;
mod panic;
pub(crate) mod stdio;
