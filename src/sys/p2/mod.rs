//! WASI 0.2: the HTTP entry, the fast path, the outbound client and what waits on pollables.

pub(crate) mod client;
pub(crate) mod io;

#[cfg(not(feature = "p3"))]
#[allow(unsafe_code, missing_docs, unreachable_pub, clippy::all, clippy::restriction, reason = "generated")]
#[rustfmt::skip]
pub mod bindings;
#[cfg(not(feature = "p3"))]
pub(crate) mod fast_path;
#[cfg(not(feature = "p3"))]
pub(crate) mod http;
