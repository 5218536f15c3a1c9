//! Configuration from the host: [`WasiConfig`].

#[cfg(target_family = "wasm")]
mod host;

use crate::configuration::{Configuration, ConfigurationError};

/// The configuration that the host has for the component, by `wasi:config`.
///
/// | host | where the values are |
/// |---|---|
/// | Midge | `midge serve --wasi-config NAME=VALUE`, or `wasi_config` in the configuration file |
/// | Spin 3 and 4, with the feature `spin` | the component's variables in `spin.toml`, secrets among them |
/// | wasmCloud | the component's configuration |
/// | wasmtime | `wasmtime serve -Scli -Sconfig -Sconfig-var=NAME=VALUE` |
///
/// Needs the feature `wasi-config`. As with [`keyvalue`](crate::keyvalue), the feature `spin`
/// chooses Spin's version of the draft. In unit tests, which are native, it has nothing.
///
/// ```
/// use midge::{Environment, Server, WasiConfig};
///
/// fn server() -> Server {
///     Server::new("shop", "1.0.0").configure((WasiConfig, Environment))
/// }
/// # drop(server());
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct WasiConfig;

impl Configuration for WasiConfig {
    #[cfg(target_family = "wasm")]
    fn get(&self, name: &str) -> Result<Option<String>, ConfigurationError> {
        crate::sys::config::host::get(name).map_err(|reason| ConfigurationError::new(name, reason))
    }

    #[cfg(not(target_family = "wasm"))]
    fn get(&self, _: &str) -> Result<Option<String>, ConfigurationError> {
        Ok(None)
    }
}
