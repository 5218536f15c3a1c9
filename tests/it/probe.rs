//! The battery of `midge-probe` against components under real hosts.

use std::time::Duration;

use midge_host::Config;
use midge_probe::{Era, Finding, Probe, ProbeError, Report, Verdict};
use midge_tests::{Serving, config, guests};
use serde_json::json;
use tracing::Level;

use crate::hosts::Wasmtime;

/// Limit of one battery. The servers here are quick.
const BATTERY: Duration = Duration::from_secs(120);

/// Serves a guest with room for all clients of the battery.
async fn serving(guest: &str) -> Serving {
    let config = Config {
        max_exchanges: 256,
        body_timeout: Duration::from_millis(500),
        allow_outbound: vec!["127.0.0.1".parse().expect("a rule")],
        ..config()
    };
    Serving::with(config, guest).await
}

async fn run(probe: Probe) -> Result<Report, ProbeError> {
    let report = tokio::time::timeout(BATTERY, probe.run(|_| ())).await;
    report.unwrap_or_else(|_| panic!("the battery exceeds {BATTERY:?}"))
}

fn finding<'a>(report: &'a Report, case: &str) -> &'a Finding {
    let found = report.findings.iter().find(|finding| finding.case == case);
    found.unwrap_or_else(|| panic!("no case {case} in {report}"))
}

fn answered<'a>(report: &'a Report, case: &str) -> Option<&'a str> {
    finding(report, case).answered.as_deref()
}

/// Asserts that no case failed, that the host is idle again, and that it warned only of clients
/// that disconnected.
async fn assert_unharmed(serving: &Serving, report: &Report, skipped: usize) {
    assert!(report.survived(), "{report}");
    assert_eq!((report.exit_code(), report.count(Verdict::Skipped)), (0, skipped), "{report}");
    serving.until_idle().await;
    assert_eq!(serving.log().at(Level::ERROR).len(), 0, "{:#?}", serving.log().at(Level::ERROR));
    let warnings = serving.log().at(Level::WARN);
    let others: Vec<_> =
        warnings.iter().filter(|line| line.get("outcome") != Some("client-gone")).collect();
    assert!(others.is_empty(), "warnings other than `client-gone`: {others:#?}");
}

#[tokio::test]
async fn the_demo_survives() {
    survives(guests::DEMO).await;
}

#[tokio::test]
async fn the_demo_survives_on_p3() {
    survives(guests::p3::DEMO).await;
}

async fn survives(demo: &str) {
    let serving = serving(demo).await;
    let report = run(Probe::new(serving.url())).await.expect("a report");
    assert_unharmed(&serving, &report, 0).await;
    assert_eq!((report.era, report.slow_tool.as_deref()), (Era::Modern, Some("countdown")));
    assert_eq!(answered(&report, "body-truncated-half-close"), Some("400"), "{report}");
    assert_eq!(answered(&report, "body-stalled"), Some("408"), "{report}");
    assert_eq!(answered(&report, "stream-rst"), Some("200"), "{report}");
}

#[tokio::test]
async fn hello_survives() {
    for hello in [guests::HELLO, guests::p3::HELLO] {
        hello_survives_as(hello).await;
    }
}

async fn hello_survives_as(hello: &str) {
    let serving = serving(hello).await;
    let report = run(Probe::new(serving.url())).await.expect("a report");
    // It has no streaming tool.
    assert_unharmed(&serving, &report, 3).await;
    assert_eq!(finding(&report, "stream-fin").note.as_deref(), Some("no streaming tool"));
}

#[tokio::test]
async fn stops_a_waiting_tool_when_its_client_disconnects() {
    for demo in [guests::DEMO, guests::p3::DEMO] {
        stops_a_waiting_tool(demo).await;
    }
}

async fn stops_a_waiting_tool(demo: &str) {
    let serving = serving(demo).await;
    let probe = Probe::new(serving.url()).slow_tool("fetch", json!({"url": "{beacon}"}));
    let cases = ["before-head-fin", "before-head-rst", "before-head-half-close", "h2-before-head"];
    let report = run(cases.into_iter().fold(probe, Probe::only)).await.expect("a report");
    assert_unharmed(&serving, &report, 0).await;
    for case in cases {
        let kept = finding(&report, case).kept_running.expect("the tool was observed");
        assert!(!kept.at_least && kept.ms < 1000, "{case}: {report}");
    }
}

#[tokio::test]
async fn the_demo_survives_under_wasmtime() {
    for demo in [guests::DEMO, guests::p3::DEMO] {
        survives_under_wasmtime(demo).await;
    }
}

async fn survives_under_wasmtime(demo: &str) {
    let Some(wasmtime) = Wasmtime::serve(demo).await else { return };
    let url = format!("http://{}/mcp", wasmtime.addr());
    let report = run(Probe::new(url)).await.expect("a report");
    assert!(report.survived(), "{report}\n{}", wasmtime.printed());
    for trouble in ["wasm trap", "panicked"] {
        assert!(!wasmtime.printed().contains(trouble), "{report}\n{}", wasmtime.printed());
    }
}
