//! Guests that burn CPU and look at nothing.

use std::{
    thread,
    time::{Duration, Instant},
};

use fastrand::Rng;
use midge_tests::{Message, PATIENCE, Serving, Wire};
use rustix::time::{ClockId, clock_gettime};
use serde_json::json;
use tokio::time::sleep;

use crate::Leaving;

/// How often the gauges are looked at: the error of a measurement.
const GLANCE: Duration = Duration::from_micros(100);
/// How long the process is watched when its clients have left.
const WATCHED: Duration = Duration::from_secs(2);
/// What it may burn meanwhile: the limit of one guest's latency, for all of them together and
/// for what the process burns at rest.
const MAX_BURNT: Duration = Duration::from_millis(100);

/// A call that goes well.
pub(crate) fn harmless() -> Message {
    Message::call("sleeps", json!({"ms": 0}))
}

/// What makes a guest busy.
pub(crate) struct Spin {
    message: Message,
    /// What comes of its answer before, and how long the guest is not busy after that.
    until: Option<(&'static str, Duration)>,
}

impl Spin {
    /// A tool of the guest `answers` that never has a result.
    pub(crate) fn before_the_head() -> Self {
        Self { message: Message::call("spins", json!({})), until: None }
    }

    /// Has the guest `told` begin a stream.
    pub(crate) fn in_the_stream() -> Self {
        let message = Message::of_bytes("").path("/stream-then-spin");
        Self { message, until: Some(("data: 1", Duration::from_millis(300))) }
    }
}

/// Clients with a busy guest each, at work for a random time: where a tick meets the loop must
/// not be up to us.
async fn crowd(serving: &Serving, spin: &Spin, size: usize, pause: Duration) -> Vec<Wire> {
    let mut wires = Vec::with_capacity(size);
    for _ in 0..size {
        let mut wire = serving.wire().await;
        wire.post(&spin.message).await;
        if let Some((text, _)) = spin.until {
            wire.until(text).await;
        }
        wires.push(wire);
    }
    sleep(spin.until.map_or(Duration::ZERO, |(_, lull)| lull)).await;
    serving.until_gauges("all guests are at work", |gauges| gauges.instances == size).await;
    sleep(pause).await;
    wires
}

/// From the clients' leaving, all at once, to the last guest's end.
pub(crate) async fn round(
    serving: &Serving,
    spin: &Spin,
    size: usize,
    leave: fn(Wire),
    rng: &mut Rng,
) -> Duration {
    let pause = Duration::from_micros(rng.u64(20_000..50_000));
    let wires = crowd(serving, spin, size, pause).await;
    let left = Instant::now();
    wires.into_iter().for_each(leave);
    // Nothing else is to be done on this thread, and a timer's millisecond is too long.
    while serving.gauges().instances > 0 && left.elapsed() < PATIENCE {
        thread::sleep(GLANCE);
    }
    left.elapsed()
}

/// What the process burns when a crowd has left, and says whether that is little.
pub(crate) async fn burn(serving: &Serving, size: usize, (how, leave): Leaving) -> bool {
    serving.until_idle().await;
    let idle = burnt_in(WATCHED);
    let wires = crowd(serving, &Spin::before_the_head(), size, Duration::from_millis(200)).await;
    wires.into_iter().for_each(leave);
    let after = burnt_in(WATCHED);
    let right = after <= MAX_BURNT;
    println!(
        "CPU in the {WATCHED:?} after {size} busy clients left, {how}: {:.1} ms (at rest: {:.1} \
         ms), at most {MAX_BURNT:?}: {}",
        after.as_secs_f64() * 1e3,
        idle.as_secs_f64() * 1e3,
        if right { "pass" } else { "FAIL" },
    );
    right
}

fn burnt_in(time: Duration) -> Duration {
    let before = burnt();
    thread::sleep(time);
    burnt().saturating_sub(before)
}

/// CPU time of all threads of this process so far.
fn burnt() -> Duration {
    clock_gettime(ClockId::ProcessCPUTime).try_into().unwrap_or_default()
}
