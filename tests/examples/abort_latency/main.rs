//! How fast a guest is gone after its client.
//!
//! ```sh
//! cargo run -p midge-tests --example abort_latency -- --rounds 100
//! ```
//!
//! Guests in a busy loop, alone and more of them than the host has threads: from the client's
//! close to the moment when the host's gauges say that no instance is left. Guests that wait for
//! an upstream which never answers: from the client's close to the moment when the upstream's
//! connection is closed. And what the process burns when all busy clients have left. Whoever is
//! over a limit exits with 1.
//!
//! The host has two threads of its own in this process; the client is one more.
#![allow(clippy::print_stdout, reason = "a program that measures has something to say")]

mod busy;
mod figures;
mod outbound;

use std::{io, process::ExitCode, time::Duration};

use clap::Parser;
use fastrand::Rng;
use midge_host::Config;
use midge_tests::{Serving, Wire, config, guests};

use self::{figures::Figures, outbound::Upstream};

/// Within this time a guest must be gone, or its call closed.
const LIMIT: Duration = Duration::from_millis(100);
/// In a stream a guest is told by its next write, at the latest by a keep-alive: the guest
/// `answers` sends one each 100 ms.
const LIMIT_IN_STREAM: Duration = Duration::from_millis(200);
/// How many busy guests there are where there are several.
const CROWD: usize = 3;

/// The two ways of leaving.
const LEAVINGS: [(&str, fn(Wire)); 2] = [("FIN", drop), ("RST", Wire::reset)];

/// Measures how fast a guest is gone after its client.
#[derive(Clone, Debug, Parser)]
struct Args {
    /// How often each is measured.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    rounds: u32,
    /// What the random pauses before a client leaves begin with.
    #[arg(long)]
    seed: Option<u64>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> io::Result<ExitCode> {
    let Args { rounds, seed } = Args::parse();
    let seed = seed.unwrap_or_else(|| fastrand::u64(..));
    println!("abort_latency: {rounds} rounds, seed {seed}");
    let mut rng = Rng::with_seed(seed);
    let upstream = Upstream::start()?;
    let config = Config { allow_outbound: vec![upstream.rule()], ..config() };
    let serving = Serving::with(config, guests::ANSWERS).await;
    // The first exchange touches what all others find warm.
    serving.assert_serves(&busy::harmless()).await;

    let mut right = true;
    Figures::print_header();
    for (how, leave) in LEAVINGS {
        for crowd in [1, CROWD] {
            let mut figures = Figures::new(format!("busy loop x{crowd}, {how}"), LIMIT);
            for _ in 0..rounds {
                figures.add(busy::round(&serving, crowd, leave, &mut rng).await);
            }
            right &= figures.print();
        }
        for (when, limit) in [(None, LIMIT), (Some("keep-alive"), LIMIT_IN_STREAM)] {
            let place = if when.is_some() { "stream" } else { "head" };
            let mut figures = Figures::new(format!("outbound, before/in the {place}, {how}"), limit);
            for _ in 0..rounds {
                figures.add(upstream.round(&serving, when, leave, &mut rng).await);
            }
            right &= figures.print();
        }
    }
    for (how, leave) in LEAVINGS {
        right &= busy::burn(&serving, CROWD, how, leave).await;
    }
    serving.until_idle().await;
    let errors = serving.log().at(tracing::Level::ERROR);
    println!("error lines: {}", errors.len());
    let right = right && errors.is_empty();
    println!("{}", if right { "pass" } else { "FAIL" });
    Ok(if right { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
