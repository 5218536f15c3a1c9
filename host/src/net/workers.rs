//! The threads that serve connections.
//!
//! Each has a runtime of its own, so that a connection and its exchanges stay on one core: in a
//! runtime of several threads each wake-up may wake another thread, to look for work that is done
//! before it has found any, which costs as much as a tenth of an exchange. Streams of HTTP/2 are the
//! exception: a connection with many of them has all threads work for it.

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

/// Polls of tasks between two looks at the sockets.
const ATTEMPTS: u32 = 8;
/// Attempts run on the stacks of their threads: what wasmtime lets a guest have, and more for those
/// that called it, whatever the environment says of stacks.
const STACK: usize = 2 << 20;

/// Where tasks are spread over threads. All clones are the same.
#[derive(Clone, Debug, Default)]
pub(crate) struct Workers {
    /// None: tasks run where the server does.
    threads: Arc<[Worker]>,
}

#[derive(Debug)]
struct Worker {
    runtime: Handle,
    tasks: Arc<AtomicUsize>,
}

/// The threads themselves: with this they end, and what is left of their tasks.
#[derive(Debug, Default)]
pub(crate) struct Threads {
    _alive: Vec<oneshot::Sender<Infallible>>,
}

impl Workers {
    /// Starts as many threads.
    pub(crate) fn start(count: usize) -> io::Result<(Self, Threads)> {
        let started = (0..count).map(|_| Worker::start()).collect::<io::Result<Vec<_>>>()?;
        let (workers, alive): (Vec<_>, _) = started.into_iter().unzip();
        Ok((Self { threads: workers.into() }, Threads { _alive: alive }))
    }

    /// Runs a task on the thread that has the fewest.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        match self.threads.iter().min_by_key(|worker| worker.tasks()) {
            Some(worker) => worker.spawn(task),
            None => drop(tokio::spawn(task)),
        }
    }

    /// Runs a part of a task on its own thread, unless another has much less to do.
    fn spawn_part(&self, task: impl Future<Output = ()> + Send + 'static) {
        let here = Handle::current().id();
        // The task itself is one that has this thread and no other.
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
        let counted = Counted::new(&self.tasks);
        self.runtime.spawn(async move {
            task.await;
            drop(counted);
        });
    }

    fn start() -> io::Result<(Self, oneshot::Sender<Infallible>)> {
        let (alive, over) = oneshot::channel();
        let mut runtime = runtime::Builder::new_current_thread();
        // An attempt may take a tick, and so many of them keep the sockets waiting.
        let runtime = runtime.enable_all().event_interval(ATTEMPTS).build()?;
        let handle = runtime.handle().clone();
        // A log of the caller's thread alone is for these, too.
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

/// Streams of HTTP/2, each a part of its connection.
impl<F> Executor<F> for Workers
where
    F: Future<Output = ()> + Send + 'static,
{
    fn execute(&self, task: F) {
        self.spawn_part(task);
    }
}

/// One more task on a thread, until it is dropped.
struct Counted(Arc<AtomicUsize>);

impl Counted {
    fn new(tasks: &Arc<AtomicUsize>) -> Self {
        tasks.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(tasks))
    }
}

impl Drop for Counted {
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

    /// The threads on which as many tasks run that do not end.
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
