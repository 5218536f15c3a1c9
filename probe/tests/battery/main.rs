//! The battery against servers that survive, fail, or are not MCP servers.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod fake_server;

use std::time::Duration;

use midge_probe::{Era, Finding, Probe, ProbeError, Report, Verdict};
use serde_json::json;
use tokio::time::timeout;

use self::fake_server::{Behavior, FakeServer};

/// Limit of one battery here. Its servers are quick.
const BATTERY: Duration = Duration::from_secs(120);
/// Limit of the exchanges before the first case.
const DETECTION: Duration = Duration::from_secs(10);

async fn run(probe: Probe) -> Result<Report, ProbeError> {
    let report = timeout(BATTERY, probe.run(|_| ())).await;
    report.unwrap_or_else(|_| panic!("the battery exceeds {BATTERY:?}"))
}

fn finding<'a>(report: &'a Report, case: &str) -> &'a Finding {
    let found = report.findings.iter().find(|finding| finding.case == case);
    found.unwrap_or_else(|| panic!("no case {case} in {report}"))
}

/// An impatient battery.
fn probe(server: &FakeServer) -> Probe {
    Probe::new(server.url()).patience(Duration::from_secs(1))
}

#[tokio::test]
async fn a_correct_legacy_server_survives() {
    let server = FakeServer::start(Behavior::Correct).await;
    let report = run(probe(&server)).await.expect("a report");
    assert!(report.survived(), "{report}");
    assert_eq!((report.era, report.version.as_str()), (Era::Legacy, "2025-11-25"), "{report}");
    assert_eq!(report.server.as_deref(), Some("fake 1"), "{report}");
}

#[tokio::test]
async fn notices_a_server_that_dies() {
    let server = FakeServer::start(Behavior::Dies).await;
    let report = run(probe(&server)).await.expect("a report");
    assert_eq!(report.exit_code(), 1, "{report}");
    assert_eq!(finding(&report, "head-cut-rst").verdict, Verdict::Survived, "{report}");
    assert_eq!(finding(&report, "body-truncated-fin").verdict, Verdict::Died, "{report}");
    assert_eq!(finding(&report, "body-truncated-rst").verdict, Verdict::NotRun, "{report}");
}

#[tokio::test]
async fn notices_a_server_that_hangs() {
    let server = FakeServer::start(Behavior::Hangs).await;
    let report = run(probe(&server).timeout(Duration::from_secs(6))).await.expect("a report");
    assert_eq!(report.exit_code(), 1, "{report}");
    let finding = finding(&report, "body-truncated-fin");
    assert_eq!(finding.verdict, Verdict::Wrong, "{report}");
    let note = finding.note.as_deref().unwrap_or_default();
    assert!(note.contains("no response within 1s"), "{report}");
    assert_eq!(report.findings.len(), Probe::cases().count(), "one finding a case: {report}");
}

#[tokio::test]
async fn notices_a_server_that_confuses_responses() {
    let server = FakeServer::start(Behavior::ConfusesResponses).await;
    let report = run(probe(&server).only("chunk-cut-in-data")).await.expect("a report");
    assert_eq!(report.exit_code(), 1, "{report}");
    assert_eq!(finding(&report, "chunk-cut-in-data").verdict, Verdict::Wrong, "{report}");
}

#[tokio::test]
async fn a_battery_out_of_time_is_not_survived() {
    let server = FakeServer::start(Behavior::Correct).await;
    let report = run(probe(&server).timeout(Duration::from_millis(300))).await.expect("a report");
    assert_eq!(report.exit_code(), 2, "{report}");
    assert!(report.count(Verdict::NotRun) > 0, "{report}");
}

#[tokio::test]
async fn rejects_servers_that_do_not_speak_mcp() {
    for behavior in [Behavior::NotMcp, Behavior::NotHttp, Behavior::EndlessHead, Behavior::Silent] {
        let server = FakeServer::start(behavior).await;
        let tested = timeout(DETECTION, run(probe(&server))).await.expect("an error in time");
        assert!(matches!(tested, Err(ProbeError::NotMcp { .. })), "{behavior:?}: {tested:?}");
    }
}

#[tokio::test]
async fn rejects_other_machines() {
    let refused = run(Probe::new("http://192.0.2.1/mcp")).await.expect_err("not ours");
    assert!(matches!(refused, ProbeError::NotLoopback { .. }));
    assert!(refused.to_string().contains("--i-own-this-server"), "{refused}");
}

#[tokio::test]
async fn rejects_unknown_cases_and_tools() {
    let server = FakeServer::start(Behavior::Correct).await;
    let unknown = run(probe(&server).only("no-such-case")).await;
    assert!(matches!(unknown, Err(ProbeError::NoSuchCase { .. })), "{unknown:?}");
    let unknown = run(probe(&server).slow_tool("no-such-tool", json!({}))).await;
    assert!(matches!(unknown, Err(ProbeError::NoSuchTool { .. })), "{unknown:?}");
}
