//! Linking: from the bytes of a component to one that can be instantiated.

use std::{fs, path::Path};

use wasmtime::{
    Engine,
    component::{Component, InstancePre, Linker},
};
use wasmtime_wasi_config::WasiConfig;

use super::{config_store, keyvalue, store::StoreData};
use crate::error::{HostError, one_line};

/// Creates a linker with everything that a guest may import.
///
/// An import is not a grant: without grants the file system is empty, every socket is denied, the
/// environment has no variables and no key-value store opens.
pub(crate) fn linker(engine: &Engine) -> Result<Linker<StoreData>, HostError> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)
        .and_then(|()| wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker))
        .and_then(|()| {
            wasmtime_wasi_config::add_to_linker(&mut linker, |data: &mut StoreData| {
                WasiConfig::from(data.config())
            })
        })
        .and_then(|()| config_store::add_to_linker(&mut linker, StoreData::spin_config))
        .and_then(|()| keyvalue::add_to_linker(&mut linker, StoreData::keyvalue))
        .map_err(|error| HostError::Engine(one_line(&error)))?;
    Ok(linker)
}

/// Reads a component from a file.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, HostError> {
    let bytes =
        fs::read(path).map_err(|source| HostError::Read { path: path.to_owned(), source })?;
    check_kind(path, &bytes)?;
    Ok(bytes)
}

/// Compiles and links a component, whatever it exports.
pub(crate) fn link(
    engine: &Engine,
    linker: &Linker<StoreData>,
    path: &Path,
    bytes: &[u8],
) -> Result<InstancePre<StoreData>, HostError> {
    let component = Component::new(engine, bytes)
        .map_err(|error| HostError::Compile { path: path.to_owned(), reason: one_line(&error) })?;
    linker
        .instantiate_pre(&component)
        .map_err(|error| HostError::Link { path: path.to_owned(), reason: one_line(&error) })
}

/// Checks that the first eight bytes are those of a component. The compiler would only say that the
/// rest is invalid.
fn check_kind(path: &Path, bytes: &[u8]) -> Result<(), HostError> {
    const MAGIC: &[u8] = b"\0asm";
    const MODULE: &[u8] = &[1, 0, 0, 0];
    let found = match bytes {
        [] => "empty",
        _ if !bytes.starts_with(MAGIC) => "not WebAssembly at all",
        _ if bytes[MAGIC.len()..].starts_with(MODULE) => {
            "a core module (build it for wasm32-wasip2, or wrap it with `wasm-tools component new`)"
        }
        _ => return Ok(()),
    };
    Err(HostError::NotAComponent { path: path.to_owned(), found })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(bytes: &[u8]) -> Option<&'static str> {
        match check_kind(Path::new("x.wasm"), bytes) {
            Err(HostError::NotAComponent { found, .. }) => Some(found),
            _ => None,
        }
    }

    #[test]
    fn only_components_pass() {
        assert_eq!(found(b"\0asm\x0d\0\x01\0"), None);
        assert_eq!(found(b""), Some("empty"));
        assert_eq!(found(b"\x7fELF"), Some("not WebAssembly at all"));
        assert!(found(b"\0asm\x01\0\0\0").is_some_and(|kind| kind.starts_with("a core module")));
    }
}
