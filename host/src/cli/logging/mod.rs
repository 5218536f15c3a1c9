//! Where the log goes: standard error, for people or for machines.

mod gather;
mod json;

use std::{
    io::{self, IsTerminal},
    sync::OnceLock,
};

use clap::ValueEnum;
use tracing_subscriber::{EnvFilter, Layer, layer::SubscriberExt, util::SubscriberInitExt};

use gather::Gathered;
use json::JsonLines;

use crate::telemetry::DEFAULT_FILTER;

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

/// Lines for machines, until the moment in which they are written.
static GATHERED: OnceLock<Gathered<io::Stderr>> = OnceLock::new();

/// Sends the events of this process to standard error.
pub(crate) fn install(format: LogFormat) {
    let filter =
        EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(DEFAULT_FILTER));
    let terminal = io::stderr().is_terminal();
    let text = match format {
        LogFormat::Auto => terminal,
        LogFormat::Text => true,
        LogFormat::Json => false,
    };
    let layer = if text {
        tracing_subscriber::fmt::layer().with_writer(io::stderr).with_ansi(terminal).boxed()
    } else {
        JsonLines::new(GATHERED.get_or_init(|| Gathered::new(io::stderr()))).boxed()
    };
    // Only a second logger in one process is refused, and then the first one serves.
    let _ = tracing_subscriber::registry().with(filter).with(layer).try_init();
    if let Some(gathered) = GATHERED.get()
        && let Err(error) = gathered.start()
    {
        tracing::warn!(target: "midge", %error, "log lines are written one by one");
    }
}

/// Writes what is left of the log, as the last thing a process does.
pub(crate) fn flush() {
    if let Some(gathered) = GATHERED.get() {
        gathered.flush();
    }
}
