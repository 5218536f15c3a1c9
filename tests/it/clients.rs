//! Real clients over real sockets. They take a tour of the demo: they list the tools, call each, and
//! see progress, a structured result and the errors. Modern ones are also asked in between
//! (`rounds.rs`), and listen (`listens.rs`).
//!
//! The clients that are not Rust are installed from `tests/clients/` into the target folder. What
//! a machine cannot run is left out with a word about how to get it; with `CI=true` that fails.

/// A test for each client and each way in which it speaks: `take_tour` and `take_rust_tour` of the
/// module it stands in say how they are served.
macro_rules! tours {
    () => {
        #[tokio::test]
        async fn rust_legacy() {
            take_rust_tour(LEGACY, ClientLifecycleMode::Initialize).await;
        }

        #[tokio::test]
        async fn rust_modern() {
            take_rust_tour(MODERN, modern()).await;
        }

        #[tokio::test]
        async fn typescript_v1() {
            let program = node::client("v1.mjs").await;
            take_tour("@modelcontextprotocol/sdk", LEGACY, "legacy", program).await;
        }

        #[tokio::test]
        async fn typescript_v2_legacy() {
            let program = node::client("v2.mjs").await;
            take_tour("@modelcontextprotocol/client", LEGACY, "legacy", program).await;
        }

        #[tokio::test]
        async fn typescript_v2_modern() {
            let program = node::client("v2.mjs").await;
            take_tour("@modelcontextprotocol/client", MODERN, "auto", program).await;
        }

        #[tokio::test]
        async fn python_legacy() {
            take_tour("mcp", LEGACY, "legacy", python::client().await).await;
        }

        #[tokio::test]
        async fn python_modern() {
            take_tour("mcp", MODERN, "auto", python::client().await).await;
        }
    };
}

mod folder;
mod listens;
pub(crate) mod node;
pub(crate) mod program;
pub(crate) mod python;
mod report;
mod rounds;
mod rust;
#[cfg(unix)]
mod stdio;

use std::{fmt, io::Write, time::Duration};

use midge_tests::{Serving, guests};
use rmcp::{model::ProtocolVersion, service::ClientLifecycleMode};
use serde::de::DeserializeOwned;
use tokio::process::Command;

use self::report::Report;

/// The versions that clients of the two eras settle on.
const LEGACY: &str = "2025-11-25";
const MODERN: &str = "2026-07-28";

/// How long a tour may take; it counts down one second.
const TOUR: Duration = Duration::from_secs(60);

/// Why a client cannot run on this machine, and what would help.
#[derive(Debug)]
pub(crate) struct LeftOut {
    why: String,
    remedy: &'static str,
}

/// As many lines as it takes a package client to come to the point, warnings not counted.
const GIST: usize = 5;

impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let told = self.why.lines().filter(|line| !line.starts_with("WARNING"));
        let gist: Vec<_> = told.take(GIST).collect();
        write!(f, "left out; to run it, {}. The reason: {}", self.remedy, gist.join(" "))
    }
}

/// Says how a client fared, so that it is seen: what a test prints in the usual way is not, as
/// long as it passes.
pub(crate) fn tell(line: &str) {
    writeln!(std::io::stdout(), "client: {line}").expect("standard output is there");
}

/// What is there, or else nothing and a line that says so, or a failure where all must be there.
pub(crate) fn available<T>(client: &str, found: Result<T, LeftOut>) -> Option<T> {
    let left_out = match found {
        Ok(found) => return Some(found),
        Err(left_out) => left_out,
    };
    let ci = std::env::var("CI").is_ok_and(|value| value == "true");
    assert!(!ci, "CI runs every client, but not {client}: {}. {}", left_out.remedy, left_out.why);
    tell(&format!("{client}: {left_out}"));
    None
}

/// Lets a client that is a program of its own take the tour.
async fn take_tour(client: &str, protocol: &str, mode: &str, program: Result<Command, LeftOut>) {
    let Some(mut program) = available(client, program) else { return };
    let serving = Serving::of(guests::DEMO).await;
    let report = reported(client, program.arg(serving.url()).arg(mode)).await;
    finish(&serving, &report, client, protocol);
}

/// Runs a client that is a program of its own, which prints its report and nothing else.
async fn reported<R: DeserializeOwned>(client: &str, program: &mut Command) -> R {
    let printed = program::run(program, TOUR).await;
    let printed = printed.unwrap_or_else(|error| panic!("{client}: {error}"));
    assert_eq!(printed.stderr, "", "{client} has nothing to complain of");
    serde_json::from_str(&printed.stdout)
        .unwrap_or_else(|error| panic!("{client}: {error} in its report: {}", printed.stdout))
}

/// Checks what the client saw and what the host heard, and says that all is well.
fn finish(serving: &Serving, report: &Report, client: &str, protocol: &str) {
    assert_eq!((&*report.client, &*report.protocol), (client, protocol), "who ran");
    report.check();
    serving.assert_noise(0, 0);
    tell(&format!("{client} {} ({protocol}): ok", report.version));
}

async fn take_rust_tour(protocol: &str, lifecycle: ClientLifecycleMode) {
    let serving = Serving::of(guests::DEMO).await;
    let tour = tokio::time::timeout(TOUR, rust::tour(&serving.url(), lifecycle)).await;
    let report = tour.unwrap_or_else(|_| panic!("rmcp: the tour did not end within {TOUR:?}"));
    finish(&serving, &report, "rmcp", protocol);
}

/// How `rmcp` becomes a modern client.
fn modern() -> ClientLifecycleMode {
    let preferred_versions = vec![ProtocolVersion::V_2026_07_28];
    ClientLifecycleMode::Auto { preferred_versions, legacy_version: None }
}

tours!();
