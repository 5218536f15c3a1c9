//! `midge probe`: the battery as a command.

use std::{
    io::{self, Write},
    process::ExitCode,
    time::Duration,
};

use clap::Args;
use humantime_serde::re::humantime::parse_duration;
use serde_json::{Value, json};

use super::{Probe, ProbeError, Report, finding::HEADING, run::Battery};

/// The server could not be tested.
const UNTESTED: u8 = 2;

/// What to test, and how.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// The endpoint of the server, like http://127.0.0.1:8080/mcp
    #[arg(required_unless_present = "list")]
    url: Option<String>,
    /// A tool that takes some seconds [default: countdown, if there is one]
    #[arg(long, value_name = "NAME")]
    slow_tool: Option<String>,
    /// Its arguments; {beacon} in them is a URL to hold a connection to while the tool works
    #[arg(long, value_name = "JSON", requires = "slow_tool", value_parser = arguments)]
    slow_arguments: Option<Value>,
    /// Run this case only (repeatable)
    #[arg(long = "case", value_name = "NAME")]
    cases: Vec<String>,
    /// How long the whole may take
    #[arg(long, value_name = "TIME", value_parser = parse_duration, default_value = "3m")]
    timeout: Duration,
    /// How long a good exchange may take
    #[arg(long, value_name = "TIME", value_parser = parse_duration, default_value = "10s")]
    patience: Duration,
    /// Print one JSON object instead of a table
    #[arg(long)]
    json: bool,
    /// List the cases and do nothing
    #[arg(long)]
    list: bool,
    /// The server is not on this machine, but it is mine
    #[arg(long)]
    i_own_this_server: bool,
}

fn arguments(text: &str) -> Result<Value, String> {
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

/// Runs the battery and prints what it finds. The exit code is 0 if the server survived all of
/// it, 1 if it did not, and 2 if it could not be tested.
pub(crate) async fn run(arguments: Arguments) -> ExitCode {
    let json = arguments.json;
    let tested = match &arguments.url {
        Some(url) => {
            let url = url.clone();
            test(arguments.probe(url), json).await
        }
        None => return list(),
    };
    match tested {
        Ok(report) => report.exit_code().into(),
        Err(error) => {
            // Without a standard error there is no one left to tell.
            let _ = writeln!(io::stderr(), "midge: {error}");
            UNTESTED.into()
        }
    }
}

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
        // Nothing in a report fails to be JSON.
        print(format_args!("{}", serde_json::to_string_pretty(&report).unwrap_or_default()));
    } else {
        print(format_args!("\n{}", report.summary()));
    }
    Ok(report)
}

fn list() -> ExitCode {
    for (name, about) in Probe::cases() {
        print(format_args!("{name:<27}{about}"));
    }
    ExitCode::SUCCESS
}

/// A line on standard output. Whoever reads it may go away too: the exit code still says it.
fn print(line: std::fmt::Arguments<'_>) {
    let mut out = io::stdout().lock();
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}
