//! Arguments and output of the command, for `midge-probe` and for commands that include it.

use std::{
    io::{self, Write},
    process::ExitCode,
    time::Duration,
};

use clap::Args;
use humantime::parse_duration;
use serde_json::{Value, json};

use crate::{
    battery::{Battery, Probe},
    error::ProbeError,
    report::{
        Report,
        table::{HEADING, LEGEND},
    },
};

/// Exit code if the server could not be tested.
pub const UNTESTED: u8 = 2;

const EXIT_CODES: &str = "\
Exit codes:
  0  The server survived every case, except those skipped
  1  The server failed a case
  2  The server could not be tested, or not in every case

A TIME has a unit: 500ms, 10s, 2m.";

/// Arguments of the command, to be flattened or used as a subcommand.
#[derive(Args, Debug)]
#[command(after_help = EXIT_CODES)]
pub struct Arguments {
    /// URL of the server's endpoint, such as http://127.0.0.1:8080/mcp
    #[arg(required_unless_present = "list")]
    url: Option<String>,
    /// Tool that takes some seconds [default: countdown, if the server has it]
    #[arg(long, value_name = "NAME")]
    slow_tool: Option<String>,
    /// Arguments of the slow tool; {beacon} in them becomes a URL that the tool can hold a
    /// connection to, to show how long it runs
    #[arg(long, value_name = "JSON", requires = "slow_tool", value_parser = parse_object)]
    slow_arguments: Option<Value>,
    /// Run only this case (repeatable)
    #[arg(long = "case", value_name = "NAME")]
    cases: Vec<String>,
    /// Limit of the whole battery
    #[arg(long, value_name = "TIME", value_parser = parse_duration, default_value = "3m")]
    timeout: Duration,
    /// Limit of an exchange that must succeed
    #[arg(long, value_name = "TIME", value_parser = parse_duration, default_value = "10s")]
    patience: Duration,
    /// Print a JSON object instead of a table
    #[arg(long)]
    json: bool,
    /// Print the cases and exit
    #[arg(long)]
    list: bool,
    /// Confirm that a server on another machine is yours, and test it
    #[arg(long)]
    i_own_this_server: bool,
}

fn parse_object(text: &str) -> Result<Value, String> {
    match serde_json::from_str(text) {
        Ok(value @ Value::Object(_)) => Ok(value),
        Ok(_) => Err("not a JSON object".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

impl Arguments {
    fn probe(self, url: String) -> Probe {
        let mut probe = Probe::new(url).timeout(self.timeout).patience(self.patience);
        if let Some(name) = self.slow_tool {
            probe = probe.slow_tool(name, self.slow_arguments.unwrap_or_else(|| json!({})));
        }
        if self.i_own_this_server {
            probe = probe.i_own_this_server();
        }
        self.cases.into_iter().fold(probe, Probe::only)
    }
}

/// Runs the battery and prints the report. Returns the exit code: see [`Report::exit_code`], and
/// [`UNTESTED`] on an error, which is printed after the name of the `program`.
pub async fn run(arguments: Arguments, program: &str) -> ExitCode {
    let json = arguments.json;
    let Some(url) = arguments.url.clone() else { return list() };
    match test(arguments.probe(url), json).await {
        Ok(report) => report.exit_code().into(),
        Err(error) => {
            // A closed standard error leaves nowhere to report to.
            let _ = writeln!(io::stderr(), "{program}: {error}");
            UNTESTED.into()
        }
    }
}

/// Runs the battery, and prints each finding when it is made.
async fn test(probe: Probe, json: bool) -> Result<Report, ProbeError> {
    let mut battery = Battery::prepare(probe).await?;
    if !json {
        print(format_args!("{}\n\n{HEADING}", battery.report.title()));
    }
    while let Some(finding) = battery.next().await {
        if !json {
            print(format_args!("{finding}"));
        }
        battery.report.findings.push(finding);
    }
    let report = battery.report;
    if json {
        // Serialization of a report cannot fail: it has no map and no custom serializer.
        print(format_args!("{}", serde_json::to_string_pretty(&report).unwrap_or_default()));
    } else {
        print(format_args!("\n{LEGEND}\n\n{}", report.summary()));
    }
    Ok(report)
}

fn list() -> ExitCode {
    for (name, about) in Probe::cases() {
        print(format_args!("{name:<27}{about}"));
    }
    ExitCode::SUCCESS
}

/// Prints a line. A closed standard output is ignored: the exit code still tells the result.
fn print(line: std::fmt::Arguments<'_>) {
    let mut out = io::stdout().lock();
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

#[cfg(test)]
mod tests {
    use clap::{Command, error::ErrorKind};

    use super::*;

    fn command() -> Command {
        Arguments::augment_args(Command::new("probe"))
    }

    #[test]
    fn arguments_are_consistent() {
        command().debug_assert();
    }

    #[test]
    fn slow_arguments_must_be_an_object() {
        let arguments = |json| ["probe", "http://x", "--slow-tool", "a", "--slow-arguments", json];
        assert!(command().try_get_matches_from(arguments("{}")).is_ok());
        for json in ["[]", "1", "{"] {
            let error = command().try_get_matches_from(arguments(json)).err();
            assert_eq!(error.map(|e| e.kind()), Some(ErrorKind::ValueValidation), "{json}");
        }
    }
}
