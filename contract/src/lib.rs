//! The contract between Midge guests and hosts: what they tell each other besides HTTP and WASI.
//!
//! A *guest* is a WebAssembly component with an MCP server, built with the SDK `midge`. A *host* is
//! `midge-host`, or any other host of `wasi:http`. Guest and host share no other code. Everything
//! here is optional: under another host the headers are harmless and the log lines are text.
//!
//! # Response headers
//!
//! The guest writes them. `midge-host` reads them and strips them from the response.
//!
//! | header | value |
//! |---|---|
//! | [`midge-exchange`](header::EXCHANGE) | [metadata](Metadata) of the exchange as form-urlencoded pairs: `method`, `id`, `era`, `name`, `outcome`. The `outcome` of a stream is in a trailer of the same name. |
//! | [`midge-run-to-completion`](header::RUN_TO_COMPLETION) | The host must not cancel the exchange when its client disconnects. |
//!
//! # Log lines
//!
//! A guest writes them to standard error. `midge-host` adds the cause of a [`LogLine::ClientGone`]
//! or a [`LogLine::Panic`] to the access log of the exchange. It prints every other line, also that
//! of an [internal error](INTERNAL_ERROR). The lines of the SDK begin with the key in the variable
//! [`MIDGE_LOG_KEY`](LOG_KEY), so that no text that a tool prints passes for one.
//!
//! # Sealing keys
//!
//! A guest reads its keys from the environment variable [`MIDGE_SEALING_KEYS`](sealing::ENV) or, if
//! it is configured by `wasi:config`, from [`sealing_keys`](sealing::CONFIG). The module [`sealing`]
//! has their form. Only components with code that seals contain the name of the variable, so a host
//! knows which of them to warn when there is no key.
//!
//! # Exchanges in one call
//!
//! A guest for WASI 0.2 exports [`midge:mcp/exchange`](exchange), a call with the whole request that
//! returns the whole response. The head of the request and the fields of the response are in the
//! form of HTTP/1.1, which [`http1`] encodes and decodes.
//!
//! # What is not here
//!
//! The types of `midge:mcp/exchange` are in `wit/`. A guest for WASI 0.3 learns that its client has
//! disconnected from the component model: its task is cancelled.

pub mod exchange;
pub mod header;
pub mod http1;
mod log_line;
mod metadata;
mod outcome;
pub mod sealing;

pub use log_line::{CLIENT_GONE, INTERNAL_ERROR, LOG_KEY, LOG_PREFIX, LogLine, PANIC};
pub use metadata::{Metadata, MetadataWriter};
pub use outcome::{Outcome, UnknownOutcome};
