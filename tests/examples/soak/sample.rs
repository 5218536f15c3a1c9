//! What the host holds, second by second.

use std::time::Duration;

use midge_host::{Gauges, Host};
use tokio::time::{MissedTickBehavior, interval};

use crate::client::World;

/// How many seconds pass between the samples that are printed.
const PRINTED: usize = 10;
/// Bytes in a MiB.
const MIB: f64 = 1_048_576.0;

/// One second.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    /// What is alive.
    pub(crate) gauges: Gauges,
    /// Memory of this process in MiB, where it is known.
    pub(crate) resident: Option<f64>,
    /// Exchanges up to now.
    pub(crate) exchanges: u64,
}

/// Samples to the end of the soak.
pub(crate) async fn every_second(world: &World, host: &Host) -> Vec<Sample> {
    let mut ticks = interval(Duration::from_secs(1));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // The first tick comes at once.
    ticks.tick().await;
    let mut samples = Vec::new();
    while !world.is_over() {
        ticks.tick().await;
        let sample =
            Sample { gauges: host.gauges(), resident: resident(), exchanges: world.exchanges() };
        samples.push(sample);
        if samples.len().is_multiple_of(PRINTED) {
            let Sample { gauges, resident, exchanges } = sample;
            let resident = resident.map_or("?".to_owned(), |mib| format!("{mib:.1}"));
            println!("{:>4} s: {exchanges} exchanges, {resident} MiB, {gauges:?}", samples.len());
        }
    }
    samples
}

/// The second field of `statm`: resident pages.
fn resident() -> Option<f64> {
    let statm = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: f64 = statm.split(' ').nth(1)?.parse().ok()?;
    Some(pages * rustix::param::page_size() as f64 / MIB)
}

/// The middle one.
pub(crate) fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}
