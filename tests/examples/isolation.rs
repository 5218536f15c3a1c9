//! Looks for memory that an instance has left to another one.
//!
//! ```sh
//! cargo run --release -p midge-tests --example isolation -- --exchanges 2000000
//! ```
//!
//! Each exchange calls a tool that looks for stains in its memory and then stains it: a counter, zeroed
//! and initialized statics, and some pages by which it grows. Half of the exchanges run on the fast
//! path. The others need the host, and run in an instance of the component. The connections are kept
//! and all of them call at the same time, so the engine reuses the memory of a few slots.
//!
//! Exits with 1 if there is a stain, or if the memory does not start with its initial size.
#![allow(clippy::print_stdout, reason = "a program that measures has something to say")]

use std::{
    error::Error,
    net::SocketAddr,
    path::PathBuf,
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Instant,
};

use clap::Parser;
use fastrand::Rng;
use midge_host::{Config, Host, Server};
use midge_tests::{Message, Wire, guests};
use serde_json::json;
use tokio::runtime::Runtime;

/// As in the command `midge`.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The tools: of the fast path, and of a component.
const TOOLS: [&str; 2] = ["stains", "stains_of_a_component"];
/// Most findings that are printed.
const PRINTED: u64 = 10;

/// Looks for memory that an instance has left to another one.
#[derive(Clone, Debug, Parser)]
struct Args {
    /// Number of exchanges.
    #[arg(long, default_value_t = 2_000_000)]
    exchanges: u64,
    /// Connections at once.
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u64).range(2..=200))]
    connections: u64,
    /// Most pages of 64 KiB by which an exchange grows its memory.
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u64).range(1..=1000))]
    pages: u64,
    /// Another build of the guest `stains`.
    #[arg(long, default_value = guests::STAINS)]
    guest: PathBuf,
    /// Seed of the random choices.
    #[arg(long)]
    seed: Option<u64>,
}

/// Counts of all connections.
#[derive(Debug, Default)]
struct Counts {
    begun: AtomicU64,
    /// For each tool.
    exchanges: [AtomicU64; 2],
    stained: AtomicU64,
}

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let Args { exchanges, connections, pages, guest, seed } = Args::parse();
    let seed = seed.unwrap_or_else(|| fastrand::u64(..));
    println!("isolation: {exchanges} exchanges, {connections} connections, seed {seed}");
    let runtime = Runtime::new()?;
    let config = Config { max_exchanges: Config::default().max_exchanges, ..midge_tests::config() };
    let host = Host::new(config)?;
    let guest = host.load(guest)?;
    let server = runtime.block_on(Server::bind(&host, guest, host.config().addr))?;
    let (addr, handle) = (server.local_addr(), server.handle());
    let serving = runtime.spawn(server.run());

    let counts = Arc::new(Counts::default());
    let begun = Instant::now();
    let clients: Vec<_> = (0..connections)
        .map(|client| {
            let tool = usize::from(client % 2 == 1);
            let rng = Rng::with_seed(seed.wrapping_add(client));
            runtime.spawn(call(addr, Arc::clone(&counts), tool, exchanges, pages, rng))
        })
        .collect();
    for client in clients {
        runtime.block_on(client)?;
    }
    let duration = begun.elapsed();
    handle.shutdown();
    runtime.block_on(serving)??;

    let [fast, component] = [0, 1].map(|tool| counts.exchanges[tool].load(Relaxed));
    let stained = counts.stained.load(Relaxed);
    println!("exchanges on the fast path    {fast}");
    println!("exchanges in a component      {component}");
    println!("exchanges that found a stain  {stained}");
    println!("duration                      {:.1} s", duration.as_secs_f64());
    println!("rate                          {:.0}/s", exchanges as f64 / duration.as_secs_f64());
    Ok(if stained == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Calls a tool on one connection, until there are enough exchanges on all of them.
async fn call(
    addr: SocketAddr,
    counts: Arc<Counts>,
    tool: usize,
    exchanges: u64,
    pages: u64,
    mut rng: Rng,
) {
    let mut wire = Wire::connect(addr).await;
    let mut expected = None;
    while counts.begun.fetch_add(1, Relaxed) < exchanges {
        let arguments = json!({ "pages": rng.u64(1..=pages) });
        wire.post(&Message::call(TOOLS[tool], arguments).accept("application/json")).await;
        let answer = wire.answer().await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let found = answer.result_text();
        counts.exchanges[tool].fetch_add(1, Relaxed);
        // Also the size of the memory before it grows, which all exchanges have in common.
        let expected: &String = expected.get_or_insert_with(|| found.clone());
        let is_clean = found.starts_with("0 stains: ") && found == *expected;
        if !is_clean && counts.stained.fetch_add(1, Relaxed) < PRINTED {
            println!("! {found}");
        }
    }
}
