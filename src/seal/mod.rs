//! Sealing: what a stateless server must remember travels through its client, which can neither
//! read nor change it.
//!
//! A *token* is what the client holds: sealed by an AEAD under a key of the server, good for one
//! *purpose* and until its expiry. Nothing here is linked into a server that seals nothing.

use std::time::{SystemTime, UNIX_EPOCH};

mod canonical;
mod keys;
mod policy;
mod purpose;
mod token;

pub(crate) use canonical::canonical;
pub use keys::{InvalidKeys, SealingKeys};
pub(crate) use policy::{FindPrincipal, MakeKeys, Policy};
pub(crate) use token::Unsealing;

/// Seconds since 1970. A clock that is set before that is at its beginning.
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}
