//! The same tour over standard input and output: each client starts the server as a process of its
//! own, by `midge stdio` and by `wasmtime run`, as desktop clients do.

use std::process::Stdio;

use midge_tests::{guests, soon};
use rmcp::service::ClientLifecycleMode;
use tokio::process::Command;

use super::{
    LEGACY, LeftOut, MODERN, TOUR, available, modern, node, python,
    report::{Report, assert_mentions},
    reported, rust, tell,
};
use crate::stdio::{Runner, command_line};

/// The command line that serves the demo. Clients hand on what it prints on standard error; here
/// that should be nothing but complaints.
async fn demo(runner: Runner) -> Option<Vec<String>> {
    let line = command_line(runner, guests::DEMO, &[]).await?;
    Some(["env", "RUST_LOG=warn"].map(str::to_owned).into_iter().chain(line).collect())
}

/// Lets a client that is a program of its own take the tour.
async fn take_tour(client: &str, protocol: &str, mode: &str, program: Result<Command, LeftOut>) {
    let Some(mut program) = available(client, program) else { return };
    for runner in [Runner::Midge, Runner::Wasmtime] {
        let Some(server) = demo(runner).await else { continue };
        let server = serde_json::to_string(&server).unwrap();
        let mut program = copy(&mut program);
        finish(runner, &reported(client, program.arg(server).arg(mode)).await, client, protocol);
    }
}

/// The same program, to be started once more.
fn copy(program: &mut Command) -> Command {
    let program = program.as_std();
    let mut copy = Command::new(program.get_program());
    copy.args(program.get_args()).current_dir(program.get_current_dir().unwrap_or(".".as_ref()));
    for (name, value) in program.get_envs() {
        match value {
            Some(value) => copy.env(name, value),
            None => copy.env_remove(name),
        };
    }
    copy
}

fn finish(runner: Runner, report: &Report, client: &str, protocol: &str) {
    assert_eq!((&*report.client, &*report.protocol), (client, protocol), "who ran");
    report.check_over_stdio();
    // wasmtime's own command lets components call anybody.
    if runner == Runner::Midge {
        assert_mentions(report.fetch_error.as_deref(), "not allow");
    }
    tell(&format!("{client} {} ({protocol}), over stdio by {runner:?}: ok", report.version));
}

async fn take_rust_tour(protocol: &str, lifecycle: ClientLifecycleMode) {
    for runner in [Runner::Midge, Runner::Wasmtime] {
        let Some(server) = demo(runner).await else { continue };
        let mut process = Command::new(&server[0])
            .args(&server[1..])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let tour = rust::tour_of_process(&mut process, lifecycle.clone());
        let report = tokio::time::timeout(TOUR, tour).await.expect("the tour ends");
        let status = soon("the end of the server", process.wait()).await.unwrap();
        assert_eq!(status.code(), Some(0), "the server ends when its client is done");
        finish(runner, &report, "rmcp", protocol);
    }
}

tours!();
