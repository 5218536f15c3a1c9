//! Captures what the host logs for one exchange.

use std::{
    fmt, io,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
};

use tracing::{
    Dispatch, Event, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{
    Layer,
    filter::Targets,
    fmt as lines,
    layer::{Context, SubscriberExt},
};

use midge_contract::Outcome;

use crate::telemetry::DEFAULT_FILTER;

/// The captured lines, as text without time and colour, and the outcome once it is known.
#[derive(Clone, Default)]
pub(super) struct CapturedLog {
    text: Text,
    outcome: Arc<OnceLock<Outcome>>,
}

impl CapturedLog {
    /// Creates a log, and the dispatch that writes to it what `midge serve` logs by default.
    pub(super) fn new() -> (Self, Dispatch) {
        let log = Self::default();
        let text = log.text.clone();
        let writer = move || text.clone();
        let subscriber = tracing_subscriber::registry()
            .with(DEFAULT_FILTER.parse::<Targets>().unwrap_or_default())
            .with(lines::layer().without_time().with_ansi(false).with_writer(writer))
            .with(CaptureOutcome(Arc::clone(&log.outcome)));
        (log, Dispatch::new(subscriber))
    }

    pub(super) fn lines(&self) -> Vec<String> {
        String::from_utf8_lossy(&self.text.bytes())
            .lines()
            .map(|line| line.trim().to_owned())
            .collect()
    }

    pub(super) fn outcome(&self) -> Option<Outcome> {
        self.outcome.get().copied()
    }
}

#[derive(Clone, Default)]
struct Text(Arc<Mutex<Vec<u8>>>);

impl Text {
    fn bytes(&self) -> MutexGuard<'_, Vec<u8>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl io::Write for Text {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Takes the outcome from the line of the exchange.
struct CaptureOutcome(Arc<OnceLock<Outcome>>);

impl<S: Subscriber> Layer<S> for CaptureOutcome {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if event.metadata().target() == "midge::exchange" {
            event.record(&mut OutcomeField(&self.0));
        }
    }
}

struct OutcomeField<'a>(&'a OnceLock<Outcome>);

impl Visit for OutcomeField<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "outcome"
            && let Ok(outcome) = value.parse()
        {
            // An exchange has one line.
            let _ = self.0.set(outcome);
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn fmt::Debug) {}
}
