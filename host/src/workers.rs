//! The threads that serve connections.
//!
//! Each has a runtime of its own, so that a connection and its exchanges stay on one core: in a
//! runtime of several threads each wake-up may wake another thread, to look for work that is done
//! before it has found any, which costs as much as a tenth of an exchange.

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

    /// Runs a task on the thread that has the fewest, if possible on this one.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let here = Handle::current().id();
        let tasks =
            |worker: &&Worker| (worker.tasks.load(Ordering::Relaxed), worker.runtime.id() != here);
        let Some(worker) = self.threads.iter().min_by_key(tasks) else {
            drop(tokio::spawn(task));
            return;
        };
        let counted = Counted::new(&worker.tasks);
        worker.runtime.spawn(async move {
            task.await;
            drop(counted);
        });
    }
}

impl Worker {
    fn start() -> io::Result<(Self, oneshot::Sender<Infallible>)> {
        let (alive, over) = oneshot::channel();
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        // A log of the caller's thread alone is for these, too.
        let log = dispatcher::get_default(Dispatch::clone);
        thread::Builder::new().name("midge-worker".to_owned()).spawn(move || {
            let _log = dispatcher::set_default(&log);
            // Nothing is ever sent.
            let _ = runtime.block_on(over);
            runtime.shutdown_background();
        })?;
        Ok((Self { runtime: handle, tasks: Arc::default() }, alive))
    }
}

/// Streams of HTTP/2: a connection with many of them has all threads work for it.
impl<F> Executor<F> for Workers
where
    F: Future<Output = ()> + Send + 'static,
{
    fn execute(&self, task: F) {
        self.spawn(task);
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
