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

/// Threads to spread tasks over. All clones are the same; with the last of them the threads end,
/// and what is left of their tasks.
#[derive(Clone, Debug, Default)]
pub(crate) struct Workers {
    /// None: tasks run where the server does.
    threads: Arc<[Worker]>,
}

#[derive(Debug)]
struct Worker {
    runtime: Handle,
    tasks: Arc<AtomicUsize>,
    _alive: oneshot::Sender<Infallible>,
}

impl Workers {
    /// Starts as many threads.
    pub(crate) fn start(count: usize) -> io::Result<Self> {
        (0..count)
            .map(|_| Worker::start())
            .collect::<io::Result<_>>()
            .map(|threads| Self { threads })
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
    fn start() -> io::Result<Self> {
        let (alive, over) = oneshot::channel();
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        thread::Builder::new().name("midge-worker".to_owned()).spawn(move || {
            // Nothing is ever sent.
            let _ = runtime.block_on(over);
            runtime.shutdown_background();
        })?;
        Ok(Self { runtime: handle, tasks: Arc::default(), _alive: alive })
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
