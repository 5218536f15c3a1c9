//! Key-value stores that guests share: what one exchange has written, the next one finds.
//!
//! They live in memory, as long as their host, and are for trials, tests and small servers. Guests
//! see them by `wasi:keyvalue`, of which the families of hosts have two versions; this host has
//! both.

#[macro_use]
mod shared;
mod draft;
mod draft2;
mod stores;
mod view;

use wasmtime::component::Linker;

pub(crate) use self::{stores::Stores, view::View};

/// Adds both versions to a linker; `view` borrows the stores from the data of a store.
///
/// Without a grant there is no store to open.
pub(crate) fn add_to_linker<T: 'static>(
    linker: &mut Linker<T>,
    view: fn(&mut T) -> View<'_>,
) -> wasmtime::Result<()> {
    draft::add_to_linker(linker, view)?;
    draft2::add_to_linker(linker, view)
}
