//! `wasi:config` in the version of Spin; `wasmtime-wasi-config` has the other one.

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

/// What an instance sees of the values it was granted.
pub(crate) struct View(pub(crate) Arc<BTreeMap<String, String>>);

struct HasView;

impl HasData for HasView {
    type Data<'a> = View;
}

/// Adds the interface to a linker; `view` borrows the values from the data of a store.
pub(crate) fn add_to_linker<T: 'static>(
    linker: &mut Linker<T>,
    view: fn(&mut T) -> View,
) -> wasmtime::Result<()> {
    store::add_to_linker::<_, HasView>(linker, view)
}

impl store::Host for View {
    fn get(&mut self, name: String) -> wasmtime::Result<Result<Option<String>, store::Error>> {
        Ok(Ok(self.0.get(&name).cloned()))
    }

    fn get_all(&mut self) -> wasmtime::Result<Result<Vec<(String, String)>, store::Error>> {
        Ok(Ok(self.0.iter().map(|(name, value)| (name.clone(), value.clone())).collect()))
    }
}
