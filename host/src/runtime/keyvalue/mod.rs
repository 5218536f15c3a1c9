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

use std::sync::Arc;

use wasmtime::component::{HasData, Linker, ResourceTable};

pub(crate) use self::stores::Stores;
use self::stores::{Bucket, Failure};
use crate::runtime::store::State;

/// What an instance sees of the stores.
pub(crate) struct View<'a> {
    pub(crate) stores: &'a Arc<Stores>,
    pub(crate) table: &'a mut ResourceTable,
}

struct HasView;

impl HasData for HasView {
    type Data<'a> = View<'a>;
}

/// Offers both versions. Without a grant there is no store to open.
pub(crate) fn add_to_linker(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    draft::add_to_linker(linker)?;
    draft2::add_to_linker(linker)
}
