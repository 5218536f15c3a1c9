//! How fast a guest is gone after its client.
//!
//! ```sh
//! cargo run -p midge-tests --example abort_latency -- --rounds 100
//! ```
//!
//! Guests in a busy loop, alone and more of them than the host has threads: from the client's
//! close to the moment when the host's gauges say that no instance is left. Guests that wait for
//! an upstream which never answers: from the client's close to the moment when the upstream sees
//! its connection closed. And what the process burns when all busy clients have left. Whoever is
//! over a limit exits with 1.
//!
//! The host has two threads of its own in this process; the client is one more.
#![allow(clippy::print_stdout, reason = "a program that measures has something to say")]
#![allow(clippy::panic, reason = "as the harness does: what cannot be measured is a failure")]

mod busy;
mod figures;
mod outbound;

use std::{error::Error, process::ExitCode, time::Duration};

use clap::Parser;
use fastrand::Rng;
use midge_host::Config;
use midge_tests::{Serving, Wire, config, guests};
use tracing::Level;

use self::{figures::Figures, outbound::Upstream};

/// Within this time a guest must be gone, or its call closed.
const LIMIT: Duration = Duration::from_millis(100);
/// In a stream a guest is told by its next write, at the latest by a keep-alive: the guest
/// `answers` sends one each 100 ms.
const LIMIT_IN_STREAM: Duration = Duration::from_millis(200);

/// A way of leaving.
type Leaving = (&'static str, fn(Wire));
/// Both of them.
const LEAVINGS: [Leaving; 2] = [("FIN", drop), ("RST", Wire::reset)];

/// Measures how fast a guest is gone after its client.
#[derive(Clone, Debug, Parser)]
struct Args {
    /// How often each is measured.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    rounds: u32,
    /// How many busy guests there are where there are several.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(2..=16))]
    crowd: u8,
    /// What the random pauses before a client leaves begin with; by default chosen at random,
    /// and printed.
    #[arg(long)]
    seed: Option<u64>,
}

/// What is measured, and with what.
struct Bench {
    serving: Serving,
    upstream: Upstream,
    rounds: u32,
    rng: Rng,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<ExitCode, Box<dyn Error>> {
    let Args { rounds, crowd, seed } = Args::parse();
    let (crowd, seed) = (crowd.into(), seed.unwrap_or_else(|| fastrand::u64(..)));
    println!("abort_latency: {rounds} rounds, seed {seed}");
    let upstream = Upstream::start()?;
    let config = Config { allow_outbound: vec![upstream.rule()?], ..config() };
    let serving = Serving::with(config, guests::ANSWERS).await;
    // The first exchange touches what all others find warm.
    serving.assert_serves(&busy::harmless()).await;
    let mut bench = Bench { serving, upstream, rounds, rng: Rng::with_seed(seed) };

    Figures::print_header();
    let mut right = true;
    for leaving in LEAVINGS {
        right &= bench.busy(1, leaving).await;
        right &= bench.busy(crowd, leaving).await;
        right &= bench.outbound(None, leaving).await;
        right &= bench.outbound(Some("keep-alive"), leaving).await;
    }
    for leaving in LEAVINGS {
        right &= busy::burn(&bench.serving, crowd, leaving).await;
    }
    bench.serving.until_idle().await;
    let errors = bench.serving.log().at(Level::ERROR).len();
    right &= errors == 0;
    println!("error lines in the log: {errors}");
    println!("{}", if right { "pass" } else { "FAIL" });
    Ok(if right { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

impl Bench {
    /// This many guests in a busy loop.
    async fn busy(&mut self, crowd: usize, (how, leave): Leaving) -> bool {
        let mut figures = Figures::new(format!("busy loop x{crowd}, {how}"), LIMIT);
        for _ in 0..self.rounds {
            figures.add(busy::round(&self.serving, crowd, leave, &mut self.rng).await);
        }
        figures.print()
    }

    /// A guest that waits for an upstream, when this much of its own answer has come.
    async fn outbound(&mut self, until: Option<&str>, (how, leave): Leaving) -> bool {
        let (place, limit) = match until {
            None => ("before the head", LIMIT),
            Some(_) => ("in the stream", LIMIT_IN_STREAM),
        };
        let mut figures = Figures::new(format!("outbound call, {place}, {how}"), limit);
        for _ in 0..self.rounds {
            let Self { serving, upstream, rng, .. } = self;
            figures.add(upstream.round(serving, until, leave, rng).await);
        }
        figures.print()
    }
}
