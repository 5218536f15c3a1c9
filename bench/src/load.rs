//! The load generator: a closed loop of clients, each with one request at a time.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use hdrhistogram::Histogram;
use tokio::task::JoinSet;

use crate::{
    client::Client,
    error::BenchError,
    message::Message,
    workload::{Spec, Wire},
};

/// What a time of load came to.
#[derive(Debug)]
pub(crate) struct Load {
    /// How long each request took, in nanoseconds.
    latencies: Latencies,
    time: Duration,
}

type Latencies = Histogram<u64>;

impl Load {
    pub(crate) fn requests(&self) -> u64 {
        self.latencies.len()
    }

    pub(crate) fn requests_per_second(&self) -> f64 {
        self.requests() as f64 / self.time.as_secs_f64()
    }

    /// The latency, in µs, that this part of all requests stayed below.
    pub(crate) fn quantile(&self, part: f64) -> f64 {
        self.latencies.value_at_quantile(part) as f64 / 1000.0
    }
}

/// Three digits are more than a shared machine gives.
const DIGITS: u8 = 3;

/// Asks a server for some time, with the connections of `spec`.
pub(crate) async fn drive(
    addr: SocketAddr,
    what: &str,
    message: &Message,
    spec: Spec,
    time: Duration,
) -> Result<Load, BenchError> {
    let start = Instant::now();
    let mut clients = JoinSet::new();
    for _ in 0..spec.connections {
        clients.spawn(client(addr, spec.wire, what.to_owned(), message.clone(), start + time));
    }
    let mut all: Latencies = Histogram::new(DIGITS)?;
    while let Some(client) = clients.join_next().await {
        // Histograms of one kind can always be added.
        let _ = all.add(client.map_err(std::io::Error::from)??);
    }
    Ok(Load { latencies: all, time: start.elapsed() })
}

async fn client(
    addr: SocketAddr,
    wire: Wire,
    what: String,
    message: Message,
    until: Instant,
) -> Result<Latencies, BenchError> {
    let mut client = Client::new(addr, wire);
    let mut latencies: Latencies = Histogram::new(DIGITS)?;
    loop {
        let start = Instant::now();
        if start >= until {
            return Ok(latencies);
        }
        client.ask(&what, &message).await?;
        let nanos = u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX);
        latencies.record(nanos)?;
    }
}
