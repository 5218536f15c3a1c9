//! WASI 0.3: the HTTP entry and the outbound client.

pub(crate) mod client;
mod fields;
pub(crate) mod http;
