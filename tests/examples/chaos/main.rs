//! Everything at once: well-behaved clients check each of their responses while other clients do what
//! they should not, guests are replaced, and the memory of all guests is nearly used up.
//!
//! ```sh
//! cargo run --release -p midge-tests --example chaos -- --minutes 10
//! ```
//!
//! Each response to a well-behaved client must be right, or a 503 of the host. The other clients abort
//! exchanges at random points, send bytes slowly, never open the window of HTTP/2, and open connections
//! for nothing. They have other addresses of 127.0.0.0/8, so the host sees several clients. In the end
//! nothing may be left.
//!
//! The host runs in this process, so the memory that is printed is also that of the clients.
//!
//! Exits with 1 if a response was wrong, if the host panicked, or if its gauges are not at rest.
#![allow(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a program that measures has something to say, and a check fails by panicking"
)]

#[path = "../soak/abort.rs"]
mod abort;
mod good;
mod misbehaving;
#[path = "../soak/question.rs"]
mod question;
mod tally;

use std::{
    error::Error,
    net::{Ipv4Addr, SocketAddr},
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    thread,
    time::{Duration, Instant},
};

use clap::Parser;
use fastrand::Rng;
use midge_host::{Config, Gauges, Guest, Host, Server, ServerHandle};
use midge_tests::guests;
use tokio::{
    runtime::{Builder, Runtime},
    task::JoinSet,
    time::{sleep, timeout},
};

use self::tally::{Tallies, Tally};

/// As in the command `midge`: another allocator would keep memory in another way.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Name of the threads of the clients, whose panics are judged where they are joined.
const CLIENT: &str = "client";
/// Panics on all other threads.
static PANICS: AtomicUsize = AtomicUsize::new(0);

/// How long the gauges and the server may take to come to rest. More than the timeouts of the host.
const LAST: Duration = Duration::from_secs(30);
/// Time between two replacements of the guest.
const RELOAD: Duration = Duration::from_millis(200);
/// Replacements of the guest for each that is loaded anew.
const LOADED: usize = 50;

/// Serves well-behaved clients beside all others.
#[derive(Clone, Debug, Parser)]
struct Args {
    /// Duration in minutes.
    #[arg(long, default_value_t = 10.0)]
    minutes: f64,
    /// Well-behaved clients.
    #[arg(long, default_value_t = 8)]
    good: u8,
    /// Clients of each kind that misbehaves.
    #[arg(long, default_value_t = 4)]
    misbehaving: u8,
    /// Memory of all guests, in MiB.
    #[arg(long, default_value_t = 24, value_parser = clap::value_parser!(u64).range(24..))]
    memory_total: u64,
    /// Seed of the random choices.
    #[arg(long)]
    seed: Option<u64>,
}

/// What all clients have in common.
pub(crate) struct World {
    addr: SocketAddr,
    until: Instant,
    tallies: Tallies,
}

impl World {
    /// Whether no exchange should begin any more.
    pub(crate) fn is_over(&self) -> bool {
        Instant::now() >= self.until
    }
}

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let args = Args::parse();
    let seed = args.seed.unwrap_or_else(|| fastrand::u64(..));
    println!("chaos: {} min, seed {seed}", args.minutes);
    count_panics();
    let (hosts, clients) = (runtime("host")?, runtime(CLIENT)?);
    let host = Host::new(config(&args))?;
    let guest = host.load(guests::ANSWERS)?;
    let server = hosts.block_on(Server::bind(&host, guest.clone(), host.config().addr))?;
    let (addr, handle) = (server.local_addr(), server.handle());
    let server = hosts.block_on(async { server.on_threads() })?;
    let serving = hosts.spawn(server.run());

    let until = Instant::now() + Duration::from_secs_f64(60.0 * args.minutes);
    let world = Arc::new(World { addr, until, tallies: Tallies::default() });
    let before = resident();
    let (reloads, warm) = clients.block_on(async {
        let clients = start(&world, &args, seed);
        let warm = tokio::spawn(async move {
            sleep((until - Instant::now()) / 4).await;
            resident()
        });
        let reloads = reload(&world, &host, &handle, guest).await;
        clients.join_all().await;
        (reloads, warm.await.ok().flatten())
    });
    let at_rest = clients.block_on(rest(&host));
    let after = resident();
    handle.shutdown();
    let drained = clients.block_on(async { timeout(LAST, serving).await.is_ok() });

    let tally = world.tallies.take();
    print(&tally, reloads, [before, warm, after]);
    let panics = PANICS.load(Relaxed);
    println!("gauges at rest                {at_rest:?}");
    println!("panics of the host            {panics}");
    let is_right = tally.wrong == 0
        && tally.right() > 0
        && panics == 0
        && drained
        && at_rest == Gauges::default();
    println!("{}", if is_right { "all is right" } else { "something is wrong" });
    Ok(if is_right { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Short timeouts, so that they all apply, and little memory.
fn config(args: &Args) -> Config {
    let short = Duration::from_secs(3);
    Config {
        max_exchanges: 64,
        max_connections: 512,
        memory: 24 << 20,
        memory_total: Some(args.memory_total << 20),
        exchange_timeout: Duration::from_secs(20),
        cpu_time: Duration::from_secs(2),
        head_timeout: short,
        body_timeout: short,
        write_timeout: short,
        ..midge_tests::config()
    }
}

/// Starts all clients. Those of a kind have an address for each.
fn start(world: &Arc<World>, args: &Args, seed: u64) -> JoinSet<()> {
    let mut clients = JoinSet::new();
    for client in 1..=args.good {
        let (world, from) = (Arc::clone(world), Ipv4Addr::new(127, 0, 1, client));
        let rng = Rng::with_seed(seed.wrapping_add(client.into()));
        clients.spawn(good::run(world, from, rng));
    }
    for client in 1..=args.misbehaving {
        let address = |kind: u8| Ipv4Addr::new(127, 0, 2 + kind, client);
        let rng = |kind: u64| Rng::with_seed(seed.wrapping_add(1000 * kind + u64::from(client)));
        clients.spawn(misbehaving::abort(Arc::clone(world), rng(1)));
        clients.spawn(misbehaving::send_slowly(Arc::clone(world), rng(2)));
        clients.spawn(misbehaving::close_the_window(Arc::clone(world), address(2), rng(3)));
        clients.spawn(misbehaving::connect(Arc::clone(world), address(3), rng(4)));
        clients.spawn(good::run_large(Arc::clone(world), address(4), rng(5)));
    }
    clients
}

/// Replaces the guest until the end, and returns how often.
async fn reload(world: &World, host: &Host, handle: &ServerHandle, mut guest: Guest) -> usize {
    let mut reloads = 0;
    while !world.is_over() {
        sleep(RELOAD).await;
        if reloads % LOADED == 0 {
            let host = host.clone();
            let load = tokio::task::spawn_blocking(move || host.load(guests::ANSWERS).ok());
            guest = load.await.ok().flatten().unwrap_or(guest);
        }
        handle.swap(guest.clone());
        reloads += 1;
    }
    reloads
}

/// What the host holds when it has had the time to let go of everything.
async fn rest(host: &Host) -> Gauges {
    let wait = async {
        while host.gauges() != Gauges::default() {
            sleep(Duration::from_millis(10)).await;
        }
    };
    // The gauges tell whether it came to rest.
    let _ = timeout(LAST, wait).await;
    host.gauges()
}

fn print(tally: &Tally, reloads: usize, memory: [Option<f64>; 3]) {
    let mib = |mib: Option<f64>| mib.map_or("unknown".to_owned(), |mib| format!("{mib:.1} MiB"));
    let ms = |per_mille| {
        let duration = tally.percentile(per_mille).map(|duration| duration.as_secs_f64() * 1e3);
        duration.map_or("unknown".to_owned(), |ms| format!("{ms:.1} ms"))
    };
    println!("right responses               {}", tally.right());
    println!("refused with a 503            {}", tally.refused);
    println!("kept connections closed       {}", tally.closed_kept);
    println!("new connections closed        {}", tally.closed_new);
    println!("wrong                         {}", tally.wrong);
    for reason in &tally.reasons {
        println!("! {reason}");
    }
    println!("p50, p99 of right ones        {}, {}", ms(500), ms(990));
    for ((place, leaving), count) in &tally.aborted {
        println!("aborted {place}, {leaving:?}: {count}");
    }
    println!("slow senders                  {}", tally.slow);
    println!("windows never opened          {}", tally.windows);
    println!("connections for nothing       {}", tally.connections);
    println!("guests replaced               {reloads}");
    let [before, warm, after] = memory.map(mib);
    println!("memory before, after a quarter, at rest  {before}, {warm}, {after}");
}

/// Resident memory of this process in MiB, on Linux.
fn resident() -> Option<f64> {
    let statm = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: f64 = statm.split(' ').nth(1)?.parse().ok()?;
    Some(pages * rustix::param::page_size() as f64 / f64::from(1 << 20))
}

fn runtime(name: &str) -> std::io::Result<Runtime> {
    Builder::new_multi_thread().worker_threads(2).thread_name(name).enable_all().build()
}

fn count_panics() {
    let print = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if thread::current().name() != Some(CLIENT) {
            PANICS.fetch_add(1, Relaxed);
            print(panic);
        }
    }));
}
