//! The log of the command: lines of text or JSON on standard error.

mod batch;
mod json;

use std::{
    io::{self, IsTerminal},
    sync::OnceLock,
};

use clap::ValueEnum;
use tracing_subscriber::{EnvFilter, Layer, layer::SubscriberExt, util::SubscriberInitExt};

use self::{batch::BatchWriter, json::JsonLines};

use crate::telemetry::DEFAULT_FILTER;

/// The format of log lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum LogFormat {
    /// Text on a terminal, JSON otherwise.
    #[default]
    Auto,
    /// One line of text for each event.
    Text,
    /// One JSON object for each event.
    Json,
}

/// Collects JSON lines for standard error.
static BATCH: OnceLock<BatchWriter<io::Stderr>> = OnceLock::new();

/// Writes the events of this process to standard error.
pub(super) fn install(format: LogFormat) {
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
        JsonLines::new(BATCH.get_or_init(|| BatchWriter::new(io::stderr()))).boxed()
    };
    // Fails only if the process has a logger already, which then stays.
    let _ = tracing_subscriber::registry().with(filter).with(layer).try_init();
    if let Some(batch) = BATCH.get()
        && let Err(error) = batch.start()
    {
        tracing::warn!(target: "midge", %error, "log lines are written one by one");
    }
}

/// Writes the lines that are left, before the process exits.
pub(super) fn flush() {
    if let Some(batch) = BATCH.get() {
        batch.flush();
    }
}
