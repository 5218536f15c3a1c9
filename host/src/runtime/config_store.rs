//! `wasi:config` in the version of Spin. `wasmtime-wasi-config` implements the other one.

use std::{collections::BTreeMap, sync::Arc};

use wasmtime::component::{HasData, Linker};

use self::bindings::wasi::config::store;

mod bindings {
    wasmtime::component::bindgen!({
        path: "wit/config-draft.wit",
        inline: "
            package midge:host;
            world config {
                import wasi:config/store@0.2.0-draft-2024-09-27;
            }
        ",
        imports: { default: trappable },
    });
}

/// The values that an instance was granted.
pub(super) struct ConfigView(pub(super) Arc<BTreeMap<String, String>>);

/// Tells the generated bindings that their host is a [`ConfigView`].
struct HasConfigView;

impl HasData for HasConfigView {
    type Data<'a> = ConfigView;
}

/// Adds the interface to a linker; `view` borrows the values from the data of a store.
pub(super) fn add_to_linker<T: 'static>(
    linker: &mut Linker<T>,
    view: fn(&mut T) -> ConfigView,
) -> wasmtime::Result<()> {
    store::add_to_linker::<_, HasConfigView>(linker, view)
}

impl store::Host for ConfigView {
    fn get(&mut self, name: String) -> wasmtime::Result<Result<Option<String>, store::Error>> {
        Ok(Ok(self.0.get(&name).cloned()))
    }

    fn get_all(&mut self) -> wasmtime::Result<Result<Vec<(String, String)>, store::Error>> {
        Ok(Ok(self.0.iter().map(|(name, value)| (name.clone(), value.clone())).collect()))
    }
}
