//! The end: everything in a table, and whether it is as it should be.

use std::time::Duration;

use midge_host::Gauges;

use crate::{
    heard::Lines,
    sample::{Sample, median},
    tally::Tally,
};

/// How much of its beginning and of its end a soak is judged by, in samples of a second each.
const WINDOW: usize = 30;
/// What memory may grow by, between the two: what an allocator keeps is not exact.
const GROWTH: f64 = 1.10;

/// All that was seen.
pub(crate) struct Findings {
    pub(crate) length: Duration,
    pub(crate) tally: Tally,
    pub(crate) samples: Vec<Sample>,
    /// When everything had ended.
    pub(crate) at_rest: Gauges,
    /// The server came to its end after the soak.
    pub(crate) drained: bool,
    pub(crate) panics: usize,
    pub(crate) heard: Lines,
}

/// One line of the table.
struct Row {
    what: String,
    value: String,
    right: bool,
}

impl Row {
    fn new(what: impl Into<String>, value: impl ToString, right: bool) -> Self {
        Self { what: what.into(), value: value.to_string(), right }
    }

    /// Something that is neither right nor wrong.
    fn fact(what: impl Into<String>, value: impl ToString) -> Self {
        Self::new(what, value, true)
    }

    /// Something that must not be there.
    fn none(what: impl Into<String>, count: u64) -> Self {
        Self::new(what, count, count == 0)
    }
}

impl Findings {
    /// Prints the table, and says whether all is right.
    pub(crate) fn print(&self) -> bool {
        let mut rows = self.exchanges();
        rows.extend(self.memory());
        rows.extend(self.rest());
        rows.extend(self.lines());
        let width = rows.iter().map(|row| row.what.len()).max().unwrap_or_default();
        for Row { what, value, right } in &rows {
            println!("{what:width$}  {value}{}", if *right { "" } else { "  <- WRONG" });
        }
        for text in self.tally.reasons.iter().chain(&self.heard.complaints) {
            println!("! {text}");
        }
        let right = rows.iter().all(|row| row.right);
        println!("{}", if right { "all is right" } else { "something is wrong" });
        right
    }

    fn exchanges(&self) -> Vec<Row> {
        let Tally { good, wrong, aborted, .. } = &self.tally;
        let all_aborted = self.tally.all_aborted();
        let rate = self.tally.all() as f64 / self.length.as_secs_f64();
        let mut rows = vec![
            Row::new("exchanges, good", good, *good > 0),
            Row::new("exchanges, aborted", all_aborted, all_aborted > 0),
        ];
        rows.extend(
            aborted.iter().map(|((place, leaving), count)| {
                Row::fact(format!("  {place}, {leaving:?}"), count)
            }),
        );
        rows.push(Row::none("exchanges, wrong", *wrong));
        rows.push(Row::fact("requests/s", format!("{rate:.0}")));
        rows
    }

    fn memory(&self) -> Vec<Row> {
        let window = WINDOW.min(self.samples.len() / 2);
        let middle = |samples: &[Sample]| {
            median(samples.iter().filter_map(|sample| sample.resident).collect())
        };
        let first = middle(&self.samples[..window]);
        let last = middle(&self.samples[self.samples.len() - window..]);
        let most = self.samples.iter().map(|sample| sample.gauges.instances).max();
        let (Some(first), Some(last)) = (first, last) else {
            return vec![Row::fact("memory", "not known here")];
        };
        let flat = last <= first * GROWTH;
        vec![
            Row::fact(format!("memory, first {window} s (median)"), format!("{first:.1} MiB")),
            Row::new(format!("memory, last {window} s (median)"), format!("{last:.1} MiB"), flat),
            Row::fact("instances at once, at most", most.unwrap_or_default()),
        ]
    }

    fn rest(&self) -> Vec<Row> {
        let Gauges { instances, permits, sockets, .. } = self.at_rest;
        let drained = if self.drained { "yes" } else { "no" };
        vec![
            Row::none("instances left", instances as u64),
            Row::none("permits left", permits as u64),
            Row::none("sockets left", sockets as u64),
            Row::new("server came to its end", drained, self.drained),
            Row::none("panics", self.panics as u64),
        ]
    }

    fn lines(&self) -> Vec<Row> {
        let Lines { errors, warnings, other_warnings, outcomes, .. } = &self.heard;
        let mut rows = vec![
            Row::none("log lines, error", *errors),
            Row::fact("log lines, warn", warnings),
            Row::none("  not of a client gone", *other_warnings),
        ];
        rows.extend(outcomes.iter().map(|(outcome, count)| {
            let expected = match outcome.as_str() {
                // Some clients leave when all is done.
                "ok" => *count >= self.tally.good,
                other => other == "client-gone",
            };
            Row::new(format!("exchange lines, {outcome}"), count, expected)
        }));
        rows
    }
}
