//! The key-value stores as one instance sees them.

use std::sync::Arc;

use wasmtime::component::{HasData, ResourceTable};

use super::stores::Stores;

/// The stores of a host, and the table of an instance in which it opens them.
pub(crate) struct KeyValueView<'a> {
    pub(crate) stores: &'a Arc<Stores>,
    pub(crate) table: &'a mut ResourceTable,
}

/// Tells the generated bindings that their host is a [`KeyValueView`].
pub(super) struct HasKeyValueView;

impl HasData for HasKeyValueView {
    type Data<'a> = KeyValueView<'a>;
}
