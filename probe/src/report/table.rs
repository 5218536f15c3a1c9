//! The report as a table.

use std::fmt;

use crate::report::{
    Report,
    finding::{Finding, Verdict},
};

/// Names of the columns.
pub(crate) const HEADING: &str =
    "case                       verdict   answered      kept running  note";

/// Explanation of the columns and verdicts, below the table.
pub(crate) const LEGEND: &str = "\
verdict       survived: the server accepts connections, and every exchange that must succeed did
              wrong: an exchange beside or after the aborted one failed or hung
              died: the server no longer accepts connections
              skipped: the server lacks what the case needs
              not run: no time was left, or the server had not recovered from an earlier case
answered      what the server sent to the aborted request, or - if the client did not read on
kept running  how long the slow tool ran after its client had disconnected, if it shows that";

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kept = self.kept_running.map_or_else(String::new, |kept| {
            format!("{}{} ms", if kept.at_least { ">" } else { "" }, kept.ms)
        });
        let line = format!(
            "{:<27}{:<10}{:<14}{kept:<14}{}",
            self.case,
            self.verdict.as_str(),
            self.answered.as_deref().unwrap_or("-"),
            self.note.as_deref().unwrap_or_default(),
        );
        f.write_str(line.trim_end())
    }
}

impl Report {
    /// Returns the line above the table.
    pub(crate) fn title(&self) -> String {
        let Self { url, server, version, slow_tool, next_exchange, .. } = self;
        let server = server.as_deref().unwrap_or("a nameless server");
        let slow = slow_tool.as_deref().unwrap_or("none");
        format!(
            "{server} at {url}: MCP {version}, slow tool: {slow}, next exchange: {next_exchange}"
        )
    }

    /// Returns the last line: the number of findings by verdict.
    pub(crate) fn summary(&self) -> String {
        let count = |verdict: Verdict| format!("{} {}", self.count(verdict), verdict.as_str());
        Verdict::ALL.map(count).join(", ")
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n\n{HEADING}", self.title())?;
        for finding in &self.findings {
            writeln!(f, "{finding}")?;
        }
        writeln!(f, "\n{LEGEND}\n\n{}", self.summary())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_legend_explains_every_verdict() {
        for verdict in Verdict::ALL {
            let explained = format!("  {}: ", verdict.as_str());
            assert_eq!(LEGEND.matches(&explained).count(), 1, "{explained}");
        }
    }

    #[test]
    fn the_legend_explains_every_column_that_needs_it() {
        for column in ["verdict", "answered", "kept running"] {
            assert!(HEADING.contains(column));
            assert!(LEGEND.lines().any(|line| line.starts_with(column)), "{column}");
        }
    }
}
