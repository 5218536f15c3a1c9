//! From a file to a guest that is ready to be instantiated.

use std::{fs, path::Path, sync::Arc};

use wasmtime::{
    Engine,
    component::{Component, Linker},
};
use wasmtime_wasi_config::WasiConfig;
use wasmtime_wasi_http::p2::bindings::{Proxy, ProxyPre};

use crate::{HostError, error::one_line, keyvalue, sealing, spin_config, state::State};

/// A component that is compiled and linked. Cheap to clone; each exchange makes an instance of it.
#[derive(Clone)]
pub struct Guest {
    pre: Arc<ProxyPre<State>>,
    seals: bool,
}

/// Everything a guest may import. What is offered is not yet granted: without a grant the file
/// system is empty, every socket is denied, the environment has no variables and no key-value store
/// opens.
pub(crate) fn linker(engine: &Engine) -> Result<Linker<State>, HostError> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)
        .and_then(|()| wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker))
        .and_then(|()| {
            wasmtime_wasi_config::add_to_linker(&mut linker, |state: &mut State| {
                WasiConfig::from(state.config())
            })
        })
        .and_then(|()| spin_config::add_to_linker(&mut linker))
        .and_then(|()| keyvalue::add_to_linker(&mut linker))
        .map_err(|error| HostError::Engine(one_line(&error)))?;
    Ok(linker)
}

impl Guest {
    pub(crate) fn load(
        engine: &Engine,
        linker: &Linker<State>,
        path: &Path,
    ) -> Result<Self, HostError> {
        let bytes =
            fs::read(path).map_err(|source| HostError::Read { path: path.to_owned(), source })?;
        check_kind(path, &bytes)?;
        let component = Component::new(engine, &bytes).map_err(|error| HostError::Compile {
            path: path.to_owned(),
            reason: one_line(&error),
        })?;
        let pre = linker
            .instantiate_pre(&component)
            .map_err(|error| HostError::Link { path: path.to_owned(), reason: one_line(&error) })?;
        let pre = ProxyPre::new(pre).map_err(|error| HostError::NotAServer {
            path: path.to_owned(),
            reason: one_line(&error),
        })?;
        Ok(Self { pre: Arc::new(pre), seals: sealing::seals(&bytes) })
    }

    /// Whether it has code that looks for sealing keys.
    pub(crate) fn seals(&self) -> bool {
        self.seals
    }

    pub(crate) async fn instantiate(
        &self,
        store: &mut wasmtime::Store<State>,
    ) -> wasmtime::Result<Proxy> {
        self.pre.instantiate_async(store).await
    }
}

impl std::fmt::Debug for Guest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Guest").finish_non_exhaustive()
    }
}

/// Tells apart, by their first eight bytes, what the compiler would only call invalid.
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
