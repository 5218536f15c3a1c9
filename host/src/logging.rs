//! Where the log goes: standard error, for people or for machines.

use std::io::{self, IsTerminal};

use clap::ValueEnum;
use tracing_subscriber::EnvFilter;

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// Text on a terminal, JSON otherwise.
    #[default]
    Auto,
    /// One line of text for each event.
    Text,
    /// One JSON object for each event.
    Json,
}

/// What is logged unless `RUST_LOG` says otherwise. wasi-http warns of every peer that fails.
pub(crate) const DEFAULT_FILTER: &str = "info,wasmtime_wasi_http=error";

/// Sends the events of this process to standard error.
pub(crate) fn install(format: LogFormat) {
    let filter =
        EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(DEFAULT_FILTER));
    let terminal = io::stderr().is_terminal();
    let logger = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
    let text = match format {
        LogFormat::Auto => terminal,
        LogFormat::Text => true,
        LogFormat::Json => false,
    };
    // Only a second logger in one process is refused, and then the first one serves.
    let _ = if text {
        logger.with_ansi(terminal).try_init()
    } else {
        logger.json().flatten_event(true).with_current_span(false).with_span_list(false).try_init()
    };
}
