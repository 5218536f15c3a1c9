//! What the host logs, counted: the lines of a soak would fill the memory that it measures.

use std::{
    collections::BTreeMap,
    fmt::{self, Write},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tracing::{
    Event, Level, Subscriber,
    field::{Field, Visit},
    subscriber::SetGlobalDefaultError,
};
use tracing_subscriber::{
    Layer,
    filter::Targets,
    layer::{Context, SubscriberExt},
};

/// How many of the lines that should not be there are kept.
const KEPT: usize = 10;

/// Hears what everyone in this process logs.
#[derive(Clone, Default)]
pub(crate) struct Heard(Arc<Mutex<Lines>>);

/// The lines, by what they say.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lines {
    /// Lines of level `error`.
    pub(crate) errors: u64,
    /// Lines of level `warn`.
    pub(crate) warnings: u64,
    /// Warnings that are not of a client that has gone.
    pub(crate) other_warnings: u64,
    /// The lines of exchanges, by outcome.
    pub(crate) outcomes: BTreeMap<String, u64>,
    /// The first errors and other warnings.
    pub(crate) complaints: Vec<String>,
}

impl Heard {
    /// Begins to hear what the command `midge` would log by default.
    pub(crate) fn install() -> Result<Self, SetGlobalDefaultError> {
        let heard = Self::default();
        let filter = Targets::new()
            .with_default(Level::INFO)
            .with_target("wasmtime_wasi_http", Level::ERROR);
        let subscriber = tracing_subscriber::registry().with(heard.clone().with_filter(filter));
        tracing::subscriber::set_global_default(subscriber)?;
        Ok(heard)
    }

    /// All that was heard so far.
    pub(crate) fn take(&self) -> Lines {
        std::mem::take(&mut self.lines())
    }

    fn lines(&self) -> MutexGuard<'_, Lines> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S: Subscriber> Layer<S> for Heard {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut said = Said::default();
        event.record(&mut said);
        self.lines().add(*event.metadata().level(), said);
    }
}

impl Lines {
    fn add(&mut self, level: Level, said: Said) {
        let Said { outcome, text } = said;
        let is_client_gone = outcome.as_deref() == Some("client-gone");
        if let Some(outcome) = outcome {
            *self.outcomes.entry(outcome).or_default() += 1;
        }
        match level {
            Level::ERROR => self.errors += 1,
            Level::WARN => self.warnings += 1,
            _ => return,
        }
        if level == Level::WARN && is_client_gone {
            return;
        }
        if level == Level::WARN {
            self.other_warnings += 1;
        }
        if self.complaints.len() < KEPT {
            self.complaints.push(format!("{level}{text}"));
        }
    }
}

/// One event.
#[derive(Default)]
struct Said {
    outcome: Option<String>,
    text: String,
}

impl Visit for Said {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "outcome" {
            self.outcome = Some(value.to_owned());
        }
        self.record_debug(field, &value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // A `String` takes all that is written.
        let _ = write!(self.text, " {}={value:?}", field.name());
    }
}
