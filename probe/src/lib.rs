//! Tests an MCP server against clients that disconnect.
//!
//! The server may be written in any language. It must speak streamable HTTP without TLS, in a
//! modern (2026-07-28) or a legacy version of the protocol.
//!
//! The battery is a list of cases. The client of a case disconnects in one particular way: while
//! it sends the request, while a tool runs, or without reading the response; with a FIN or with an
//! RST. After each case a *check* must succeed: a complete exchange on a new connection.
//!
//! ```no_run
//! # async fn battery() -> Result<(), midge_probe::ProbeError> {
//! use midge_probe::Probe;
//!
//! let report = Probe::new("http://127.0.0.1:8080/mcp").run(|_| ()).await?;
//! assert!(report.survived(), "{report}");
//! # Ok(())
//! # }
//! ```
//!
//! Everything is bounded: each wait, each case, the whole battery ([`Probe::timeout`]), the bytes
//! read of a response, and the open connections, about 70 at most.
//!
//! # Features
//!
//! `cli` (default) builds the command `midge-probe` and the module `cli`, with its arguments and
//! output. The library does not need it.

mod battery;
mod case;
mod cases;
#[cfg(feature = "cli")]
pub mod cli;
mod client;
mod detect;
mod error;
mod report;
mod slow_tool;
mod test_target;
mod tool_monitor;

pub use self::{
    battery::Probe,
    client::dialect::Era,
    error::ProbeError,
    report::{
        Report,
        finding::{Finding, KeptRunning, Verdict},
    },
};
