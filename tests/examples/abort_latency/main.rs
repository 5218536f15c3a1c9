//! How fast a guest is gone after its client.
//!
//! ```sh
//! cargo run -p midge-tests --example abort_latency -- --rounds 100
//! ```
//!
//! Guests in a busy loop, alone and more of them than the host has threads, before the head of
//! their answer and in its stream: from the client's close to the moment when the host's gauges
//! say that no instance is left. Guests that wait for an upstream which never answers: from the
//! client's close to the moment when the upstream sees its connection closed. And what the
//! process burns when all busy clients have left. Whoever is over a limit exits with 1.
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

use self::{busy::Spin, figures::Figures, outbound::Upstream};

/// Within this time a guest must be gone, or its call closed.
const LIMIT: Duration = Duration::from_millis(100);

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
    /// The guest that behaves.
    answers: Serving,
    /// The one that does as it is told.
    told: Serving,
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
    let outbound = Config { allow_outbound: vec![upstream.rule()?], ..config() };
    let answers = Serving::with(outbound, guests::ANSWERS).await;
    // The first exchange touches what all others find warm.
    answers.assert_serves(&busy::harmless()).await;
    let told = Serving::of(guests::TOLD).await;
    let mut bench = Bench { answers, told, upstream, rounds, rng: Rng::with_seed(seed) };

    Figures::print_header();
    let mut right = true;
    for leaving in LEAVINGS {
        for crowd in [1, crowd] {
            right &= bench.busy_before_the_head(crowd, leaving).await;
            right &= bench.busy_in_the_stream(crowd, leaving).await;
        }
        right &= bench.outbound(None, leaving).await;
        right &= bench.outbound(Some("keep-alive"), leaving).await;
    }
    for leaving in LEAVINGS {
        right &= busy::burn(&bench.answers, crowd, leaving).await;
    }
    right &= bench.is_silent().await;
    println!("{}", if right { "pass" } else { "FAIL" });
    Ok(if right { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

impl Bench {
    /// This many guests in a busy loop that have not answered yet.
    async fn busy_before_the_head(&mut self, crowd: usize, (how, leave): Leaving) -> bool {
        let mut figures = Figures::new(format!("busy loop x{crowd}, before the head, {how}"));
        let spin = Spin::before_the_head();
        for _ in 0..self.rounds {
            let Self { answers, rng, .. } = self;
            figures.add(busy::round(answers, &spin, crowd, leave, rng).await);
        }
        figures.print(LIMIT)
    }

    /// This many guests in a busy loop that have begun a stream.
    async fn busy_in_the_stream(&mut self, crowd: usize, (how, leave): Leaving) -> bool {
        let mut figures = Figures::new(format!("busy loop x{crowd}, in the stream, {how}"));
        let spin = Spin::in_the_stream();
        for _ in 0..self.rounds {
            let Self { told, rng, .. } = self;
            figures.add(busy::round(told, &spin, crowd, leave, rng).await);
        }
        figures.print(LIMIT)
    }

    /// A guest that waits for an upstream, when this much of its own answer has come.
    async fn outbound(&mut self, until: Option<&str>, (how, leave): Leaving) -> bool {
        let place = if until.is_some() { "in the stream" } else { "before the head" };
        let mut figures = Figures::new(format!("outbound call, {place}, {how}"));
        for _ in 0..self.rounds {
            let Self { answers, upstream, rng, .. } = self;
            figures.add(upstream.round(answers, until, leave, rng).await);
        }
        figures.print(LIMIT)
    }

    /// Whether nothing is left, and nobody has logged an error.
    async fn is_silent(&self) -> bool {
        let mut errors = 0;
        for serving in [&self.answers, &self.told] {
            serving.until_idle().await;
            errors += serving.log().at(Level::ERROR).len();
        }
        println!("error lines in the log: {errors}");
        errors == 0
    }
}
