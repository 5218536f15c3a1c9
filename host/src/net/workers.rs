//! Worker threads that serve connections.
//!
//! Each has a runtime of its own, so that a connection and its exchanges stay on one core. In a runtime
//! with several threads each wake-up may wake another thread, which looks for work that is done before
//! it finds any; this costs as much as a tenth of an exchange. Streams of HTTP/2 are the exception: they
//! are spread over all threads.

use std::{
    convert::Infallible,
    io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use hyper::rt::Executor;
use tokio::{
    runtime::{self, Handle},
    sync::oneshot,
};
use tracing::dispatcher::{self, Dispatch};

/// How many tasks are polled between two polls of the sockets. The fast path may run for a tick in one
/// poll, so the default of tokio would delay the sockets for too long.
const EVENT_INTERVAL: u32 = 8;
/// The fast path runs guests on the stack of the thread: 512 KiB that wasmtime lets a guest have, and
/// the frames of the host. Set here, so that `RUST_MIN_STACK` does not change it.
const STACK: usize = 2 << 20;

/// Spreads tasks over threads. All clones share the threads.
#[derive(Clone, Debug, Default)]
pub(super) struct Workers {
    /// Empty: tasks run in the runtime of the server.
    threads: Arc<[Worker]>,
}

#[derive(Debug)]
struct Worker {
    runtime: Handle,
    tasks: Arc<AtomicUsize>,
}

/// Keeps the threads running. When it is dropped, they end, and their tasks are dropped.
#[derive(Debug, Default)]
pub(super) struct WorkerThreads {
    _alive: Vec<oneshot::Sender<Infallible>>,
}

impl Workers {
    /// Starts `count` threads.
    pub(super) fn start(count: usize) -> io::Result<(Self, WorkerThreads)> {
        let started = (0..count).map(|_| Worker::start()).collect::<io::Result<Vec<_>>>()?;
        let (workers, alive): (Vec<_>, _) = started.into_iter().unzip();
        Ok((Self { threads: workers.into() }, WorkerThreads { _alive: alive }))
    }

    /// Runs a task on the thread that has the fewest tasks.
    pub(super) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        match self.threads.iter().min_by_key(|worker| worker.tasks()) {
            Some(worker) => worker.spawn(task),
            None => drop(tokio::spawn(task)),
        }
    }

    /// Runs a stream of a connection on the thread of the connection, unless another thread has much
    /// less to do.
    fn spawn_stream(&self, task: impl Future<Output = ()> + Send + 'static) {
        let here = Handle::current().id();
        // The task of the connection counts for its own thread only.
        let handicap = |worker: &Worker| if worker.runtime.id() == here { 0 } else { 2 };
        match self.threads.iter().min_by_key(|worker| worker.tasks() + handicap(worker)) {
            Some(worker) => worker.spawn(task),
            None => drop(tokio::spawn(task)),
        }
    }
}

impl Worker {
    fn tasks(&self) -> usize {
        self.tasks.load(Ordering::Relaxed)
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let guard = TaskGuard::new(&self.tasks);
        self.runtime.spawn(async move {
            task.await;
            drop(guard);
        });
    }

    fn start() -> io::Result<(Self, oneshot::Sender<Infallible>)> {
        let (alive, over) = oneshot::channel();
        let mut runtime = runtime::Builder::new_current_thread();
        let runtime = runtime.enable_all().event_interval(EVENT_INTERVAL).build()?;
        let handle = runtime.handle().clone();
        // A subscriber that is set for the thread of the caller only applies here, too.
        let log = dispatcher::get_default(Dispatch::clone);
        let thread = thread::Builder::new().name("midge-worker".to_owned()).stack_size(STACK);
        thread.spawn(move || {
            let _log = dispatcher::set_default(&log);
            // Nothing is ever sent.
            let _ = runtime.block_on(over);
            runtime.shutdown_background();
        })?;
        Ok((Self { runtime: handle, tasks: Arc::default() }, alive))
    }
}

/// Runs the streams of HTTP/2 connections.
impl<F> Executor<F> for Workers
where
    F: Future<Output = ()> + Send + 'static,
{
    fn execute(&self, task: F) {
        self.spawn_stream(task);
    }
}

/// Counts a task of a thread until it is dropped.
struct TaskGuard(Arc<AtomicUsize>);

impl TaskGuard {
    fn new(tasks: &Arc<AtomicUsize>) -> Self {
        tasks.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(tasks))
    }
}

impl Drop for TaskGuard {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use std::{collections::HashSet, future::pending, thread::ThreadId, time::Duration};

    use tokio::{sync::mpsc, time::timeout};

    use super::*;

    const LONG: Duration = Duration::from_secs(30);

    /// Returns the threads on which `tasks` tasks run that never end.
    async fn threads_of(workers: &Workers, tasks: usize) -> HashSet<ThreadId> {
        let (sender, mut receiver) = mpsc::unbounded_channel();
        for _ in 0..tasks {
            let sender = sender.clone();
            workers.spawn(async move {
                sender.send(thread::current().id()).unwrap();
                pending::<()>().await;
            });
        }
        let mut threads = HashSet::new();
        for _ in 0..tasks {
            threads.insert(timeout(LONG, receiver.recv()).await.unwrap().unwrap());
        }
        threads
    }

    #[tokio::test]
    async fn tasks_are_spread_over_all_threads() {
        let (workers, _threads) = Workers::start(3).unwrap();
        let threads = threads_of(&workers, 3).await;
        assert_eq!(threads.len(), 3);
        assert!(!threads.contains(&thread::current().id()));
        assert_eq!(threads_of(&workers, 6).await, threads);
    }

    #[tokio::test]
    async fn without_threads_tasks_run_where_they_are_made() {
        let threads = threads_of(&Workers::default(), 2).await;
        assert_eq!(threads, HashSet::from([thread::current().id()]));
    }

    #[tokio::test]
    async fn tasks_end_with_their_threads() {
        let (workers, threads) = Workers::start(1).unwrap();
        let (held, mut dropped) = mpsc::channel::<()>(1);
        workers.spawn(async move {
            let _held = held;
            pending::<()>().await;
        });
        assert!(timeout(Duration::from_millis(1), dropped.recv()).await.is_err());
        drop(threads);
        assert_eq!(timeout(LONG, dropped.recv()).await, Ok(None));
    }
}
