//! From a file to a guest that is ready to be instantiated.

use std::{fs, path::Path, sync::Arc};

use wasmtime::{
    Engine,
    component::{Component, ComponentExportIndex, InstancePre, Linker, Resource},
};
use wasmtime_wasi_config::WasiConfig;
use wasmtime_wasi_http::p2::{
    bindings::{Proxy, ProxyPre},
    types::HostResponseOutparam,
};

use crate::{
    HostError,
    error::one_line,
    runtime::{
        buffered::{Answer, Whole},
        config_store,
        fast_path::Pure,
        keyvalue, p3,
        store::State,
    },
    sealing,
};

/// The exports of a guest that takes an exchange in one call, see `wit/exchange.wit`.
const EXCHANGE: &str = "midge:mcp/exchange@0.1.0";
const HANDLE: &str = "handle";

/// A component that is compiled and linked. Cheap to clone; each exchange makes an instance of it.
#[derive(Clone)]
pub struct Guest {
    kind: Kind,
    seals: bool,
}

/// By which version of `wasi:http` it is called.
#[derive(Clone)]
pub(crate) enum Kind {
    P2(Arc<Proxied>),
    P3(Arc<p3::World>, Arc<p3::Service>),
}

/// A guest of `wasi:http` 0.2.
pub(crate) struct Proxied {
    pre: ProxyPre<State>,
    /// Where it takes whole exchanges, if it does.
    whole: Option<ComponentExportIndex>,
    /// Its module by itself, for exchanges that need no more.
    pure: Option<Pure>,
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
        .and_then(|()| config_store::add_to_linker(&mut linker))
        .and_then(|()| keyvalue::add_to_linker(&mut linker))
        .map_err(|error| HostError::Engine(one_line(&error)))?;
    Ok(linker)
}

/// The bytes of a component.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, HostError> {
    let bytes =
        fs::read(path).map_err(|source| HostError::Read { path: path.to_owned(), source })?;
    check_kind(path, &bytes)?;
    Ok(bytes)
}

/// A component that is compiled and linked, whatever it exports.
pub(crate) fn link(
    engine: &Engine,
    linker: &Linker<State>,
    path: &Path,
    bytes: &[u8],
) -> Result<InstancePre<State>, HostError> {
    let component = Component::new(engine, bytes)
        .map_err(|error| HostError::Compile { path: path.to_owned(), reason: one_line(&error) })?;
    linker
        .instantiate_pre(&component)
        .map_err(|error| HostError::Link { path: path.to_owned(), reason: one_line(&error) })
}

impl Guest {
    pub(crate) fn load(
        engine: &Engine,
        linker: &Linker<State>,
        p3: impl FnOnce() -> Result<Arc<p3::World>, HostError>,
        path: &Path,
    ) -> Result<Self, HostError> {
        let bytes = read(path)?;
        let kind = match p3::handler(&bytes) {
            Some(handler) => {
                let world = p3()?;
                let service = Arc::new(world.load(path, &bytes, handler)?);
                Kind::P3(world, service)
            }
            None => Kind::P2(Arc::new(Proxied::load(engine, linker, path, &bytes)?)),
        };
        Ok(Self { kind, seals: sealing::seals(&bytes) })
    }

    pub(crate) fn kind(&self) -> &Kind {
        &self.kind
    }

    /// Whether it has code that looks for sealing keys.
    pub(crate) fn seals(&self) -> bool {
        self.seals
    }
}

impl Proxied {
    fn load(
        engine: &Engine,
        linker: &Linker<State>,
        path: &Path,
        bytes: &[u8],
    ) -> Result<Self, HostError> {
        let pre = ProxyPre::new(link(engine, linker, path, bytes)?).map_err(|error| {
            HostError::NotAServer { path: path.to_owned(), reason: one_line(&error) }
        })?;
        let component = pre.instance_pre().component();
        let exchange = component.get_export_index(None, EXCHANGE);
        let whole = exchange.and_then(|within| component.get_export_index(Some(&within), HANDLE));
        let pure = whole.and_then(|_| Pure::find(engine, bytes));
        Ok(Self { pre, whole, pure })
    }

    /// Whether it takes exchanges in one call.
    pub(crate) fn takes_whole(&self) -> bool {
        self.whole.is_some()
    }

    pub(crate) fn pure(&self) -> Option<&Pure> {
        self.pure.as_ref()
    }

    /// Makes an instance and gives it a whole request. The answer has gone to `response` if there
    /// is none here.
    pub(crate) async fn answer(
        &self,
        store: &mut wasmtime::Store<State>,
        request: &Whole,
        response: Resource<HostResponseOutparam>,
    ) -> wasmtime::Result<Option<Answer>> {
        type Arguments<'a> = (&'a [u8], &'a [u8], Resource<HostResponseOutparam>);
        let instance = self.pre.instance_pre().instantiate_async(&mut *store).await?;
        let export = self
            .whole
            .as_ref()
            .ok_or_else(|| wasmtime::format_err!("the component does not export `{EXCHANGE}`"))?;
        let handle =
            instance.get_typed_func::<Arguments<'_>, (Option<Answer>,)>(&mut *store, export)?;
        let (answer,) = handle.call_async(store, (&request.head, &request.body, response)).await?;
        Ok(answer)
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
