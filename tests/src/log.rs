//! Hears everything that a host logs.

use std::{collections::BTreeMap, fmt, ops::Index};

use tokio::sync::watch;
use tracing::{
    Dispatch, Event, Level, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{
    Layer,
    filter::Targets,
    layer::{Context, SubscriberExt},
};

use crate::soon;

/// One event.
#[derive(Clone, Debug)]
pub struct Line {
    /// How bad it is.
    pub level: Level,
    /// Who says it.
    pub target: String,
    /// What it says: the fields, as text; the one without a name is `message`.
    pub fields: BTreeMap<String, String>,
}

impl Line {
    /// A field, where it is there.
    pub fn get(&self, field: &str) -> Option<&str> {
        self.fields.get(field).map(String::as_str)
    }

    /// Whether this is the one line of an exchange.
    pub fn is_exchange(&self) -> bool {
        self.target == "midge::exchange" && self.fields.contains_key("outcome")
    }
}

impl Index<&str> for Line {
    type Output = str;

    fn index(&self, field: &str) -> &str {
        self.get(field).unwrap_or_else(|| panic!("no `{field}` in {self:?}"))
    }
}

/// The lines of one host, in the order in which they were logged.
#[derive(Clone, Debug)]
pub struct Log(watch::Receiver<Vec<Line>>);

impl Log {
    /// A log, and the dispatch that writes to it what the command `midge` would log by default, and
    /// which exchanges were answered without a component.
    pub(crate) fn new() -> (Self, Dispatch) {
        let (lines, log) = watch::channel(Vec::new());
        let filter = Targets::new()
            .with_default(Level::INFO)
            .with_target("midge::fast_path", Level::TRACE)
            .with_target("wasmtime_wasi_http", Level::ERROR);
        let layer = Capture { lines }.with_filter(filter);
        (Self(log), Dispatch::new(tracing_subscriber::registry().with(layer)))
    }

    /// All lines so far.
    pub fn lines(&self) -> Vec<Line> {
        self.0.borrow().clone()
    }

    /// The lines of this level so far.
    pub fn at(&self, level: Level) -> Vec<Line> {
        self.lines().into_iter().filter(|line| line.level == level).collect()
    }

    /// The lines of exchanges so far.
    pub fn exchanges(&self) -> Vec<Line> {
        self.lines().into_iter().filter(Line::is_exchange).collect()
    }

    /// What has become of attempts to answer without a component: none, or why not.
    pub fn attempts(&self) -> Vec<Option<String>> {
        let is_attempt =
            |line: &Line| line.target == "midge::fast_path" && line.get("exchange").is_some();
        let lines = self.lines().into_iter().filter(is_attempt);
        lines.map(|line| line.get("reason").map(str::to_owned)).collect()
    }

    /// What the guests have written to standard output and error so far.
    pub fn output(&self) -> Vec<String> {
        let lines = self.lines().into_iter().filter(|line| line.target == "midge::guest");
        lines.filter_map(|line| line.get("message").map(str::to_owned)).collect()
    }

    /// Waits until the lines are as they should be.
    pub async fn until(&self, what: &str, mut condition: impl FnMut(&[Line]) -> bool) {
        let mut lines = self.0.clone();
        let heard = soon(what, lines.wait_for(|lines| condition(lines))).await;
        assert!(heard.is_ok(), "{what}: nobody logs any more");
    }
}

struct Capture {
    lines: watch::Sender<Vec<Line>>,
}

impl<S: Subscriber> Layer<S> for Capture {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let metadata = event.metadata();
        let line = Line {
            level: *metadata.level(),
            target: metadata.target().to_owned(),
            fields: fields.0,
        };
        self.lines.send_modify(|lines| lines.push(line));
    }
}

#[derive(Default)]
struct Fields(BTreeMap<String, String>);

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().to_owned(), value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name().to_owned(), format!("{value:?}"));
    }
}
