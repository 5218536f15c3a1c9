//! Runs MCP servers that are WebAssembly components: a fresh instance for every exchange.
//!
//! The host moves bytes and enforces limits; it does not interpret MCP. A client that disconnects is an
//! ordinary outcome of an exchange: the guest is cancelled, one warning is logged, and no other exchange
//! is affected.
//!
//! ```no_run
//! # async fn serve() -> Result<(), Box<dyn std::error::Error>> {
//! let host = midge_host::Host::new(midge_host::Config::default())?;
//! let guest = host.load("server.wasm")?;
//! let server = midge_host::Server::bind(&host, guest, "127.0.0.1:0".parse()?).await?;
//! println!("http://{}/mcp", server.local_addr());
//! server.run().await?;
//! # Ok(())
//! # }
//! ```
//!
//! In tests a [`Harness`] sends single requests and returns the outcome of each exchange.
//!
//! # Features
//!
//! `cli` (default) adds the command `midge`. Test harnesses do without it: `default-features = false`.

mod build;
#[cfg(feature = "cli")]
pub mod cli;
mod config;
mod error;
mod exchange;
mod harness;
mod net;
mod runtime;
mod sealing;
#[cfg(feature = "cli")]
mod signals;
#[cfg(feature = "cli")]
mod stdio;
mod telemetry;

#[cfg(feature = "cli")]
pub use self::error::NewError;
pub use midge_contract::{Outcome, UnknownOutcome};

pub use self::{
    config::{Config, HostRule, HostRuleError},
    error::{BuildError, HostError},
    harness::{Exchange, Harness, HarnessError, build},
    net::server::{Server, ServerHandle},
    runtime::{component::Guest, host::Host, host_state::Gauges},
};
