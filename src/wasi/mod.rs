//! The only code that knows WASI's types: thin adapters between a host and the exchange, one for
//! each version of `wasi:http`. A component has one of them.

mod export;
mod log;
mod panic;

#[cfg(not(feature = "p3"))]
pub(crate) mod p2;
#[cfg(not(feature = "p3"))]
pub(crate) mod p2_client;
#[cfg(not(feature = "p3"))]
use p2 as world;
#[cfg(not(feature = "p3"))]
pub(crate) use p2_client as client;

#[cfg(feature = "p3")]
pub(crate) mod p3;
#[cfg(feature = "p3")]
pub(crate) mod p3_client;
#[cfg(feature = "p3")]
mod p3_fields;
#[cfg(feature = "p3")]
use p3 as world;
#[cfg(feature = "p3")]
pub(crate) use p3_client as client;
