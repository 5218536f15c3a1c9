//! The official conformance suite, run against `examples/conformance` under the host and under
//! `wasmtime serve`.
//!
//! Whatever a baseline in `tests/conformance/` does not name must pass, also where the suite does
//! not score it, and whatever is scored and named there must fail: the suite itself sees to that.

use std::{collections::BTreeSet, fs, net::SocketAddr, path::PathBuf, time::Duration};

use midge_host::Config;
use midge_tests::{Serving, config, guests};
use tokio::process::Command;

use crate::{
    clients::{available, node, program, tell},
    hosts::Wasmtime,
    sealing,
};

const FILES: &[(&str, &str)] = &[
    ("package.json", include_str!("../conformance/package.json")),
    ("package-lock.json", include_str!("../conformance/package-lock.json")),
];

/// How long a run may take; it takes some seconds.
const RUN: Duration = Duration::from_secs(300);

/// A run of the suite: which of its versions, what of it, and what fails.
pub(crate) struct Run {
    suite: &'static str,
    package: &'static str,
    arguments: &'static [&'static str],
    baseline: &'static str,
}

pub(crate) const MODERN: Run = Run {
    suite: "0.2.0-alpha.12, 2026-07-28",
    package: "@modelcontextprotocol/conformance",
    arguments: &["--requirements", "2026-07-28"],
    baseline: "2026-07-28.yaml",
};

pub(crate) const LEGACY: Run = Run {
    suite: "0.2.0-alpha.12, 2025-11-25",
    arguments: &["--requirements", "2025-11-25"],
    baseline: "2025-11-25.yaml",
    ..MODERN
};

pub(crate) const RELEASED: Run = Run {
    suite: "0.1.16, everything",
    package: "conformance-0.1",
    arguments: &["--suite", "all", "--spec-version", "2025-11-25"],
    baseline: "2025-11-25.yaml",
};

impl Run {
    fn baseline(&self) -> PathBuf {
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("conformance").join(self.baseline)
    }

    /// The suite, unless this machine cannot install it.
    async fn command(&self) -> Option<Command> {
        let script = format!("node_modules/{}/dist/index.js", self.package);
        available("conformance suite", node::program("conformance", FILES, &script).await)
    }

    /// Runs the suite. `also` is what fails under this host besides what the baseline says.
    pub(crate) async fn against(&self, host: &str, addr: SocketAddr, also: &str) {
        let Some(mut suite) = self.command().await else { return };
        let mut baseline = fs::read_to_string(self.baseline()).expect("the baseline is there");
        baseline.push_str(also);
        let results = tempfile::tempdir().expect("there is room for results");
        let expected = results.path().join("baseline.yaml");
        fs::write(&expected, &baseline).expect("there is room for a baseline");
        let url = format!("http://localhost:{}/mcp", addr.port());
        suite.args(["server", "--url", &url]).args(self.arguments);
        suite.arg("--expected-failures").arg(&expected);
        suite.arg("--output-dir").arg(results.path().join("results"));
        let printed = program::run(&mut suite, RUN).await;
        let printed = printed.unwrap_or_else(|error| panic!("{host}, {}: {error}", self.suite));
        let passed = printed.stdout.lines().filter(|line| line.starts_with('✓')).count();
        assert!(passed > 20, "{host}, {}: hardly anything ran: {}", self.suite, printed.stdout);
        let named: BTreeSet<&str> =
            baseline.lines().filter_map(|line| line.trim().strip_prefix("- ")).collect();
        let failed = printed.stdout.lines().filter_map(|line| line.strip_prefix("✗ "));
        let unnamed: Vec<&str> =
            failed.filter(|line| !named.contains(line.split(':').next().unwrap_or(line))).collect();
        assert_eq!(unnamed, [""; 0], "{host}, {}", self.suite);
        let total = printed.stdout.lines().find(|line| line.starts_with("Total:"));
        let total = total.unwrap_or_default();
        tell(&format!(
            "conformance suite {} under {host}: as the baseline says. {total}",
            self.suite
        ));
    }
}

#[tokio::test]
async fn under_midge() {
    for (host, guest) in
        [("midge serve", guests::CONFORMANCE), ("midge serve, WASI 0.3", guests::p3::CONFORMANCE)]
    {
        let config = Config { env: vec![sealing::variable(&[sealing::OLD])], ..config() };
        let serving = Serving::with(config, guest).await;
        for run in [MODERN, LEGACY, RELEASED] {
            run.against(host, serving.addr(), "").await;
        }
    }
}

/// wasmtime 49 does not tell a guest of WASI 0.3 the authority of a request over HTTP/1.1. So it
/// cannot know that it was called on a loopback address, and refuses loopback origins, too.
const NO_AUTHORITY: &str = "  - dns-rebinding-protection\n";

#[tokio::test]
async fn under_wasmtime_serve() {
    let env = sealing::variable(&[sealing::OLD]);
    for (host, guest, also) in [
        ("wasmtime serve", guests::CONFORMANCE, ""),
        ("wasmtime serve, WASI 0.3", guests::p3::CONFORMANCE, NO_AUTHORITY),
    ] {
        let Some(serving) = Wasmtime::serve_with(guest, &[&env]).await else { return };
        for run in [MODERN, LEGACY, RELEASED] {
            run.against(host, serving.addr(), also).await;
        }
    }
}
