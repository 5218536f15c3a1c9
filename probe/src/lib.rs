//! The battery: puts an MCP server through clients that go away, and says what became of it.
//!
//! Any server that speaks streamable HTTP can be tested, modern or legacy, whatever it is written
//! in. Each case is a client that leaves in one particular way: in the middle of its request, or
//! while its tool is at work, or without reading the answer, politely (FIN) or not (RST). After
//! each a good exchange on a new connection must go well.
//!
//! ```no_run
//! # async fn battery() -> Result<(), midge_host::probe::ProbeError> {
//! use midge_host::probe::Probe;
//!
//! let report = Probe::new("http://127.0.0.1:8080/mcp").run(|_| ()).await?;
//! assert!(report.survived(), "{report}");
//! # Ok(())
//! # }
//! ```
//!
//! Everything is bounded: each wait, each case, the whole ([`Probe::timeout`]), what is read of an
//! answer, and the connections, of which there are about 70 at most at a time.

mod beacon;
mod case;
mod cases;
pub(crate) mod command;
mod detect;
mod error;
mod finding;
mod ground;
mod http1;
mod http2;
mod message;
mod reply;
mod run;
mod slow;
mod target;
mod wire;
mod wrong;

pub use self::{
    beacon::KeptRunning,
    error::ProbeError,
    finding::{Finding, Report, Verdict},
    message::Era,
    run::Probe,
};
