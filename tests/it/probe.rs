//! The battery `midge probe`: what survives it here, and that it notices what does not.

mod double;

use std::time::Duration;

use midge_host::{
    Config,
    probe::{Era, Finding, Probe, ProbeError, Report, Verdict},
};
use midge_tests::{Serving, config, guests, soon};
use serde_json::json;
use tracing::Level;

use self::double::{Double, Temper};
use crate::hosts::Wasmtime;

/// Longer than the battery, which is quick where servers are.
const BATTERY: Duration = Duration::from_secs(120);

/// A guest under a host that has room for all clients of the battery.
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
    report.unwrap_or_else(|_| panic!("the battery is bounded, but not by {BATTERY:?}"))
}

fn finding<'a>(report: &'a Report, case: &str) -> &'a Finding {
    let found = report.findings.iter().find(|finding| finding.case == case);
    found.unwrap_or_else(|| panic!("no case {case} in {report}"))
}

fn answered<'a>(report: &'a Report, case: &str) -> Option<&'a str> {
    finding(report, case).answered.as_deref()
}

/// Checks that nothing was wrong, and that the host is as before and has complained of nothing
/// but clients.
async fn assert_unharmed(serving: &Serving, report: &Report, skipped: usize) {
    assert!(report.survived(), "{report}");
    assert_eq!((report.exit_code(), report.count(Verdict::Skipped)), (0, skipped), "{report}");
    serving.until_idle().await;
    assert_eq!(serving.log().at(Level::ERROR).len(), 0, "{:#?}", serving.log().at(Level::ERROR));
    let warnings = serving.log().at(Level::WARN);
    let others: Vec<_> =
        warnings.iter().filter(|line| line.get("outcome") != Some("client-gone")).collect();
    assert!(others.is_empty(), "clients that go away are all there is to warn of: {others:#?}");
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
    // It has no tool that streams.
    assert_unharmed(&serving, &report, 3).await;
    assert_eq!(finding(&report, "stream-fin").note.as_deref(), Some("no streaming tool"));
}

#[tokio::test]
async fn a_tool_that_waits_is_gone_with_its_client() {
    for demo in [guests::DEMO, guests::p3::DEMO] {
        a_tool_that_waits_is_gone(demo).await;
    }
}

async fn a_tool_that_waits_is_gone(demo: &str) {
    let serving = serving(demo).await;
    let probe = Probe::new(serving.url()).slow_tool("fetch", json!({"url": "{beacon}"}));
    let cases = ["before-head-fin", "before-head-rst", "before-head-half-close", "h2-before-head"];
    let report = run(cases.into_iter().fold(probe, Probe::only)).await.expect("a report");
    assert_unharmed(&serving, &report, 0).await;
    for case in cases {
        let kept = finding(&report, case).kept_running.expect("the tool was seen");
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

#[tokio::test]
async fn a_sane_legacy_server_survives() {
    let double = Double::serve(Temper::Sane).await;
    let report = run(probe(&double)).await.expect("a report");
    assert!(report.survived(), "{report}");
    assert_eq!((report.era, report.version.as_str()), (Era::Legacy, "2025-11-25"), "{report}");
    assert_eq!(report.server.as_deref(), Some("double 1"), "what it calls itself");
}

/// One that is quick to give up, for the servers of this file.
fn probe(double: &Double) -> Probe {
    Probe::new(double.url()).patience(Duration::from_secs(1))
}

#[tokio::test]
async fn a_server_that_dies_is_noticed() {
    let double = Double::serve(Temper::Dies).await;
    let report = run(probe(&double)).await.expect("a report");
    assert_eq!(report.exit_code(), 1, "{report}");
    assert_eq!(finding(&report, "head-cut-rst").verdict, Verdict::Survived, "{report}");
    assert_eq!(finding(&report, "body-truncated-fin").verdict, Verdict::Died, "{report}");
    assert_eq!(finding(&report, "body-truncated-rst").verdict, Verdict::NotRun, "{report}");
}

#[tokio::test]
async fn a_server_that_hangs_is_noticed() {
    let double = Double::serve(Temper::Hangs).await;
    let report = run(probe(&double).timeout(Duration::from_secs(6))).await.expect("a report");
    assert_eq!(report.exit_code(), 1, "{report}");
    let finding = finding(&report, "body-truncated-fin");
    assert_eq!(finding.verdict, Verdict::Wrong, "{report}");
    let note = finding.note.as_deref().unwrap_or_default();
    assert!(note.contains("no answer within 1s"), "{report}");
    assert_eq!(report.findings.len(), Probe::cases().count(), "none is left out: {report}");
}

#[tokio::test]
async fn a_server_that_mixes_answers_up_is_noticed() {
    let double = Double::serve(Temper::Confused).await;
    let report = run(probe(&double).only("chunk-cut-in-data")).await.expect("a report");
    assert_eq!(report.exit_code(), 1, "{report}");
    assert_eq!(finding(&report, "chunk-cut-in-data").verdict, Verdict::Wrong, "{report}");
}

#[tokio::test]
async fn out_of_time_is_not_survived() {
    let double = Double::serve(Temper::Sane).await;
    let report = run(probe(&double).timeout(Duration::from_millis(300))).await.expect("a report");
    assert_eq!(report.exit_code(), 2, "{report}");
    assert!(report.count(Verdict::NotRun) > 0, "{report}");
}

#[tokio::test]
async fn what_is_no_mcp_server_is_not_tested() {
    for temper in [Temper::NotMcp, Temper::Noise, Temper::Flood, Temper::Mute] {
        let double = Double::serve(temper).await;
        let tested = soon("a refusal", run(probe(&double))).await;
        assert!(matches!(tested, Err(ProbeError::NotMcp { .. })), "{temper:?}: {tested:?}");
    }
}

#[tokio::test]
async fn other_machines_are_left_alone() {
    let refused = run(Probe::new("http://192.0.2.1/mcp")).await.expect_err("not ours");
    assert!(matches!(refused, ProbeError::NotLoopback { .. }));
    assert!(refused.to_string().contains("--i-own-this-server"), "{refused}");
}

#[tokio::test]
async fn unknown_cases_and_tools_are_refused() {
    let double = Double::serve(Temper::Sane).await;
    let unknown = run(probe(&double).only("no-such-case")).await;
    assert!(matches!(unknown, Err(ProbeError::NoSuchCase { .. })), "{unknown:?}");
    let unknown = run(probe(&double).slow_tool("no-such-tool", json!({}))).await;
    assert!(matches!(unknown, Err(ProbeError::NoSuchTool { .. })), "{unknown:?}");
}
