//! Key-value stores (`wasi:keyvalue`) that all exchanges of a host share.
//!
//! They are kept in memory until the host is dropped, for trials, tests and small servers. wasmtime and
//! Spin have different versions of the interface; this host offers both.

#[macro_use]
mod shared;
mod draft;
mod draft2;
mod stores;
mod view;

use wasmtime::component::Linker;

pub(crate) use self::{stores::Stores, view::KeyValueView};

/// Adds both versions to a linker; `view` borrows the stores from the data of a store.
///
/// Without a grant there is no store to open.
pub(crate) fn add_to_linker<T: 'static>(
    linker: &mut Linker<T>,
    view: fn(&mut T) -> KeyValueView<'_>,
) -> wasmtime::Result<()> {
    draft::add_to_linker(linker, view)?;
    draft2::add_to_linker(linker, view)
}
