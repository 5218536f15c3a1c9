//! This run beside an earlier one: did the CPU time of a request grow?

use std::fmt::Write;

use crate::report::{Report, Row};

/// The difference to an earlier run.
#[derive(Debug)]
pub(crate) struct Comparison {
    /// A line for each contestant that is in both runs.
    pub(crate) table: String,
    /// Whether one of them got worse by more than is tolerated.
    pub(crate) is_worse: bool,
}

impl Comparison {
    /// `tolerance` is in percent of the earlier CPU time.
    pub(crate) fn new(base: &Report, now: &Report, tolerance: f64) -> Self {
        let mut comparison = Self { table: String::new(), is_worse: false };
        for row in &now.rows {
            let is_same =
                |other: &&Row| other.workload == row.workload && other.contestant == row.contestant;
            if let Some(before) = base.rows.iter().find(is_same) {
                comparison.add(before, row, tolerance);
            }
        }
        comparison
    }

    fn add(&mut self, before: &Row, now: &Row, tolerance: f64) {
        let (old, new) = (before.figures.cpu_us, now.figures.cpu_us);
        let percent = (new / old - 1.0) * 100.0;
        let is_worse = percent > tolerance;
        self.is_worse |= is_worse;
        let verdict = if is_worse { "  worse" } else { "" };
        // Writing to a string does not fail.
        let _ = writeln!(
            self.table,
            "{:<20} {:<16} {old:>9.1} {new:>9.1} µs {percent:>+7.1} %{verdict}",
            now.workload, now.contestant
        );
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use serde_json::json;

    use super::*;

    fn report(cpu_us: f64) -> Report {
        serde_json::from_value(json!({
            "date": "", "rounds": 1, "seconds": 1.0,
            "machine": { "cpu": "", "cores": 1, "kernel": "", "load_before": "" },
            "rows": [{
                "workload": "call", "contestant": "midge", "requests_per_second": 1.0,
                "p50_us": 1.0, "p99_us": 1.0, "cpu_us": cpu_us, "peak_kib": 1
            }],
        }))
        .unwrap()
    }

    #[test]
    fn only_more_than_the_tolerance_is_worse() {
        let compare = |now| Comparison::new(&report(50.0), &report(now), 10.0);
        assert!(!compare(54.9).is_worse);
        assert!(compare(55.1).is_worse);
        assert!(!compare(20.0).is_worse);
        assert!(compare(55.1).table.contains("+10.2 %  worse"), "{}", compare(55.1).table);
    }

    #[test]
    fn what_was_not_measured_before_is_not_compared() {
        let mut base = report(50.0);
        base.rows.clear();
        let comparison = Comparison::new(&base, &report(500.0), 10.0);
        assert!(!comparison.is_worse);
        assert_eq!(comparison.table, "");
    }
}
