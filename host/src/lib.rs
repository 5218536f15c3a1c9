//! Runs MCP servers that are WebAssembly components: a fresh instance for every exchange.
//!
//! The host moves bytes and enforces limits; it knows nothing of MCP. A client that goes away is
//! an ordinary outcome of an exchange: the guest is stopped, one warning is logged, and nothing
//! else notices.
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
//! In tests a [`Harness`] sends single requests and says how each exchange ended.

mod authority;
mod body;
pub mod cli;
mod config;
mod connection;
mod contract;
mod demo;
mod dev;
mod engine;
mod error;
mod exchange;
mod fault;
mod guest;
mod harness;
mod host;
mod keyvalue;
mod leash;
mod life;
mod listen;
mod logging;
mod new;
mod outbound;
mod output;
mod p3;
mod pulse;
mod pure;
mod report;
mod request;
mod sealing;
mod settings;
mod signals;
mod socket;
mod source_tree;
mod spin_config;
mod state;
mod stdio;
mod untaken;
mod watching;
mod whole;
mod workers;

pub use self::{
    config::Config,
    contract::{Outcome, UnknownOutcome},
    dev::BuildError,
    error::HostError,
    guest::Guest,
    harness::{Exchange, Harness, HarnessError, build},
    host::{Gauges, Host},
    listen::{Server, ServerHandle},
    new::NewError,
    outbound::{OutboundRule, OutboundRuleError},
};
