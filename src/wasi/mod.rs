//! The only code that knows WASI's types: thin adapters between a host and the exchange.

pub(crate) mod p2;
mod panic;
