//! A soak of the host: half of the exchanges are aborted at random points, the others must be
//! right, and in the end nothing may be left and nothing may have grown.
//!
//! ```sh
//! cargo run -p midge-tests --example soak -- --seconds 120
//! ```
//!
//! The host runs in this process, with the default limits and the allocator of the command
//! `midge`; its clients share the process, so the memory that is measured is theirs, too. Memory
//! is read from `/proc/self/statm`: on anything but Linux it is not known, and not judged.
//!
//! The same seed makes the same choices on each connection; how they interleave is up to the
//! machine. Whoever finds something wrong exits with 1.
#![allow(clippy::print_stdout, reason = "a program that measures has something to say")]

mod abort;
mod client;
mod heard;
mod question;
mod sample;
mod table;
mod tally;

use std::{
    error::Error,
    net::SocketAddr,
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use clap::Parser;
use midge_host::{Config, Gauges, Host, Server};
use midge_tests::guests;
use tokio::{
    runtime::{Builder, Runtime},
    time::timeout,
};

use self::{client::World, heard::Heard, table::Findings, tally::Tally};

/// As in the command `midge`: another allocator would keep memory in another way.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Panics of anyone in this process, the host included.
static PANICS: AtomicUsize = AtomicUsize::new(0);

/// How long exchanges at work, and what follows them, may take when the clients are done. More
/// than the host's own grace and drain.
const LAST: Duration = Duration::from_secs(15);

/// Soaks the host in exchanges, half of which are aborted.
#[derive(Clone, Debug, Parser)]
struct Args {
    /// How long.
    #[arg(long, default_value_t = 120, value_parser = clap::value_parser!(u64).range(2..=3600))]
    seconds: u64,
    /// How many connections at once.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=200))]
    connections: u32,
    /// What the random choices begin with; by default chosen at random, and printed.
    #[arg(long)]
    seed: Option<u64>,
}

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let Args { seconds, connections, seed } = Args::parse();
    let seed = seed.unwrap_or_else(|| fastrand::u64(..));
    println!("soak: {seconds} s, {connections} connections, seed {seed}");
    count_panics();
    let heard = Heard::install()?;
    let (hosts, clients) = (runtime("host", 2)?, runtime("client", 1)?);
    let config = Config { max_exchanges: Config::default().max_exchanges, ..midge_tests::config() };
    let host = Host::new(config)?;
    let guest = host.load(guests::ANSWERS)?;
    let bind = Server::bind(&host, guest, host.config().addr);
    let server = hosts.block_on(bind)?;
    let (addr, handle) = (server.local_addr(), server.handle());
    let serving = hosts.spawn(server.run());

    let length = Duration::from_secs(seconds);
    let (tally, samples) = clients.block_on(soak(addr, &host, length, connections, seed));
    let at_rest = clients.block_on(rest(&host));
    handle.shutdown();
    let drained = clients.block_on(async { timeout(LAST, serving).await.is_ok() });

    let panics = PANICS.load(Ordering::Relaxed);
    let heard = heard.take();
    let findings = Findings { length, tally, samples, at_rest, drained, panics, heard };
    Ok(if findings.print() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// All clients, and whoever watches the host meanwhile.
async fn soak(
    addr: SocketAddr,
    host: &Host,
    length: Duration,
    connections: u32,
    seed: u64,
) -> (Tally, Vec<sample::Sample>) {
    let world = Arc::new(World::new(addr, Instant::now() + length));
    let clients: Vec<_> = (0..connections)
        .map(|client| {
            let rng = fastrand::Rng::with_seed(seed.wrapping_add(client.into()));
            tokio::spawn(client::run(Arc::clone(&world), rng))
        })
        .collect();
    let samples = sample::every_second(&world, host).await;
    for client in clients {
        // A panic is counted, see `PANICS`.
        drop(client.await);
    }
    (world.tally(), samples)
}

/// What the host holds when it has had the time to let go of everything.
async fn rest(host: &Host) -> Gauges {
    let until = Instant::now() + LAST;
    let idle = Gauges::default();
    while host.gauges() != idle && Instant::now() < until {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    host.gauges()
}

fn runtime(name: &str, threads: usize) -> std::io::Result<Runtime> {
    Builder::new_multi_thread().worker_threads(threads).thread_name(name).enable_all().build()
}

fn count_panics() {
    let print = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        PANICS.fetch_add(1, Ordering::Relaxed);
        print(panic);
    }));
}
