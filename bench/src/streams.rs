//! What a stream costs that stays open: its memory in the server.

use std::{fmt::Write, time::Duration};

use http_body_util::BodyExt;
use hyper::{Response, body::Incoming};
use memchr::memmem;

use crate::{
    artifacts::Artifacts,
    client::Client,
    contestant::Contestant,
    error::BenchError,
    message::{Message, Question},
    process::Process,
    workload::{Tools, Wire},
};

/// For what is allocated or given back in the background.
const SETTLE: Duration = Duration::from_millis(500);

/// Opens streams to servers, and tells how much memory they took.
pub(crate) async fn measure(artifacts: &Artifacts, count: usize) -> Result<String, BenchError> {
    allow_files();
    let mut table = format!("memory of an open stream, KiB, {count} open\n");
    for who in [Contestant::RmcpTuned, Contestant::TowerMcp, Contestant::Midge] {
        let memory = of(who, artifacts, count).await?;
        // Writing to a string does not fail.
        let _ = writeln!(table, "{:<20} {memory:>8.1}", who.name());
    }
    Ok(table)
}

/// In KiB for each stream.
async fn of(who: Contestant, artifacts: &Artifacts, count: usize) -> Result<f64, BenchError> {
    let mut process = Process::start(who.name(), |port| {
        let mut command = who.command(artifacts, Tools::Work, port);
        if who == Contestant::Midge {
            let limit = (count + 10).to_string();
            command.args(["--max-exchanges", &limit, "--max-connections", &limit]);
            command.args(["--exchange-timeout", "10m"]);
        }
        command
    })?;
    // Its first answer has the server set up what it needs once.
    let first = who.message(Question::Steps);
    process.answers(&first, Wire::KeepAlive, Duration::from_millis(10)).await?;
    tokio::time::sleep(SETTLE).await;
    let before = process.memory()?;
    let message = who.message(Question::Hold);
    let mut streams = Vec::with_capacity(count);
    for _ in 0..count {
        streams.push(open(&process, &message).await?);
    }
    tokio::time::sleep(SETTLE).await;
    let after = process.memory()?;
    drop(streams);
    Ok(after.saturating_sub(before) as f64 / count as f64)
}

/// A stream whose first event has arrived. Its connection lives as long as its client.
async fn open(
    process: &Process,
    message: &Message,
) -> Result<(Client, Response<Incoming>), BenchError> {
    let mut client = Client::new(process.addr(), Wire::KeepAlive);
    let mut response = client.begin(message).await?;
    let mut seen = Vec::new();
    while memmem::find(&seen, b"notifications/progress").is_none() {
        let Some(frame) = response.body_mut().frame().await else {
            return Err(BenchError::Closed(process.name().to_owned()));
        };
        seen.extend_from_slice(frame?.data_ref().map_or(&[], |data| data));
    }
    Ok((client, response))
}

/// Asks for as many open files as there may be: each stream is one here, and one in the server.
fn allow_files() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    // Where it is refused, a stream that cannot be opened says so.
    let _ = setrlimit(Resource::Nofile, limit);
}
