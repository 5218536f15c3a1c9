//! A client that lives for as long as the soak: it asks on a connection that it keeps, until it
//! leaves in the middle of an exchange and comes back on a new one.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use fastrand::Rng;
use midge_tests::Wire;

use crate::{abort::Abort, question::Question, tally::Tally};

/// What all clients share.
pub(crate) struct World {
    addr: SocketAddr,
    until: Instant,
    tally: Mutex<Tally>,
}

impl World {
    /// A server, and when to be done with it.
    pub(crate) fn new(addr: SocketAddr, until: Instant) -> Self {
        Self { addr, until, tally: Mutex::default() }
    }

    /// Whether no exchange should begin any more.
    pub(crate) fn is_over(&self) -> bool {
        Instant::now() >= self.until
    }

    /// What was seen so far.
    pub(crate) fn tally(&self) -> Tally {
        self.lock().clone()
    }

    /// How many exchanges there were so far.
    pub(crate) fn exchanges(&self) -> u64 {
        self.lock().all()
    }

    fn lock(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Runs one client to the end of the soak.
pub(crate) async fn run(world: Arc<World>, mut rng: Rng) {
    let mut wire = None;
    while !world.is_over() {
        wire = if rng.bool() {
            ask(&world, wire, Question::random(&mut rng)).await
        } else {
            leave(&world, wire, Abort::random(&mut rng)).await;
            None
        };
    }
}

/// A good exchange. The harness, and whoever checks the answer, panic when something is wrong:
/// so they do it in a task of their own.
async fn ask(world: &World, wire: Option<Wire>, question: Question) -> Option<Wire> {
    let addr = world.addr;
    let asked = tokio::spawn(async move {
        let mut wire = open(wire, addr).await;
        wire.post(&question.message()).await;
        question.check(&wire.answer().await);
        wire
    });
    let asked = asked.await;
    let mut tally = world.lock();
    match asked {
        Ok(wire) => {
            tally.good += 1;
            Some(wire)
        }
        Err(panic) => {
            tally.add_wrong(panic.to_string());
            None
        }
    }
}

/// An exchange that the client leaves.
async fn leave(world: &World, wire: Option<Wire>, abort: Abort) {
    let (addr, kind) = (world.addr, abort.kind());
    let left = tokio::spawn(async move { abort.run(open(wire, addr).await).await }).await;
    let mut tally = world.lock();
    match left {
        Ok(()) => *tally.aborted.entry(kind).or_default() += 1,
        Err(panic) => tally.add_wrong(format!("{kind:?}: {panic}")),
    }
}

/// The connection that is still there, or a new one.
async fn open(wire: Option<Wire>, addr: SocketAddr) -> Wire {
    match wire {
        Some(wire) => wire,
        None => Wire::connect(addr).await,
    }
}
