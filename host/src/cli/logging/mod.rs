//! The log of the command: lines of text or JSON on standard error.

mod batch;
mod json;

use std::{
    io::{self, IsTerminal, Write},
    sync::OnceLock,
    time::{Duration, SystemTime},
};

use clap::ValueEnum;
use humantime_serde::re::humantime;
use tracing_subscriber::{EnvFilter, Layer, layer::SubscriberExt, util::SubscriberInitExt};

use self::{
    batch::{BatchWriter, DropNotice, TARGET, drop_message},
    json::JsonLines,
};
use crate::{error::HostError, telemetry::DEFAULT_FILTER};

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

/// How long the process waits at its end for the log to be written. It ends within 500 ms of its drain.
const FLUSH_LIMIT: Duration = Duration::from_millis(400);

/// Queues lines for standard error.
static BATCH: OnceLock<BatchWriter> = OnceLock::new();

/// Writes the events of this process to standard error.
pub(super) fn install(format: LogFormat) -> Result<(), HostError> {
    let filter =
        EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(DEFAULT_FILTER));
    let terminal = io::stderr().is_terminal();
    let text = match format {
        LogFormat::Auto => terminal,
        LogFormat::Text => true,
        LogFormat::Json => false,
    };
    let notice: DropNotice = if text { text_drop_notice } else { JsonLines::drop_notice };
    let batch = BatchWriter::start(io::stderr(), notice)
        .map_err(|source| HostError::System { what: "start the log", source })?;
    let batch = BATCH.get_or_init(|| batch);
    let layer = if text {
        tracing_subscriber::fmt::layer().with_writer(|| TextLine(batch)).with_ansi(terminal).boxed()
    } else {
        JsonLines::new(batch.clone()).boxed()
    };
    // Fails only if the process has a logger already, which then stays.
    let _ = tracing_subscriber::registry().with(filter).with(layer).try_init();
    Ok(())
}

/// A line of text. People read it, so it does not wait for others.
struct TextLine(&'static BatchWriter);

impl Write for TextLine {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.add(line, true);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn text_drop_notice(count: u64) -> String {
    let timestamp = humantime::format_rfc3339_micros(SystemTime::now());
    format!("{timestamp}  WARN {TARGET}: {}\n", drop_message(count))
}

/// Writes why the command fails.
pub(super) fn print_error(reason: &str) {
    let line = format!("midge: {reason}\n");
    match BATCH.get() {
        Some(batch) => batch.add(line.as_bytes(), true),
        // A failure to write the reason cannot be reported anywhere.
        None => drop(io::stderr().write_all(line.as_bytes())),
    }
}

/// Writes the lines that are left, before the process exits.
pub(super) fn flush() {
    if let Some(batch) = BATCH.get() {
        batch.flush(FLUSH_LIMIT);
    }
}
