//! The stores as one instance sees them.

use std::sync::Arc;

use wasmtime::component::{HasData, ResourceTable};

use super::stores::Stores;

/// What an instance sees of the stores.
pub(crate) struct View<'a> {
    pub(crate) stores: &'a Arc<Stores>,
    pub(crate) table: &'a mut ResourceTable,
}

/// Tells the generated bindings that their host is a [`View`].
pub(super) struct HasView;

impl HasData for HasView {
    type Data<'a> = View<'a>;
}
