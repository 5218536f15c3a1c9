//! The official conformance suite, run against `examples/conformance.rs` under the host.
//!
//! Whatever a baseline in `tests/conformance/` does not name must pass, and whatever it names
//! must fail: the suite itself sees to both.

use std::{path::PathBuf, time::Duration};

use midge_tests::{Serving, guests};

use crate::clients::{available, node, program, tell};

const SUITE: &[(&str, &str)] = &[
    ("package.json", include_str!("../conformance/package.json")),
    ("package-lock.json", include_str!("../conformance/package-lock.json")),
];

const SCRIPT: &str = "node_modules/@modelcontextprotocol/conformance/dist/index.js";

/// How long a run may take; it takes some seconds.
const RUN: Duration = Duration::from_secs(300);

/// Runs what a version of the protocol requires.
async fn run(requirements: &str) {
    let suite = node::program("conformance", SUITE, SCRIPT).await;
    let Some(mut suite) = available("conformance suite", suite) else { return };
    let serving = Serving::of(guests::CONFORMANCE).await;
    let baseline = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("conformance")
        .join(format!("{requirements}.yaml"));
    let results = tempfile::tempdir().expect("there is room for results");
    let url = format!("http://localhost:{}/mcp", serving.addr().port());
    suite.args(["server", "--url", &url, "--requirements", requirements]);
    suite.arg("--expected-failures").arg(&baseline);
    suite.arg("--output-dir").arg(results.path());
    let printed = program::run(&mut suite, RUN).await;
    let printed = printed.unwrap_or_else(|error| panic!("{requirements}: {error}"));
    let passed = printed.stdout.lines().filter(|line| line.starts_with('✓')).count();
    let total = printed.stdout.lines().find(|line| line.starts_with("Total:")).unwrap_or_default();
    assert!(passed > 10, "{requirements}: hardly anything ran: {}", printed.stdout);
    tell(&format!(
        "conformance suite 0.2.0-alpha.12, {requirements}: as the baseline says. {total}"
    ));
}

#[tokio::test]
async fn modern() {
    run("2026-07-28").await;
}

#[tokio::test]
async fn legacy() {
    run("2025-11-25").await;
}
