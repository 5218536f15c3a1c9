//! Writes log lines in batches.
//!
//! A system call for each line is a considerable part of the cost of a small exchange. If the process
//! is killed, the lines of the last 20 ms are lost, except warnings and errors.

use std::{
    io::{self, Write},
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

/// How long a line may wait for others.
const INTERVAL: Duration = Duration::from_millis(20);
/// Size at which adding a line writes the batch, so that memory is bounded and a log that is not read
/// slows the exchanges down.
const MAX_BATCH: usize = 64 << 10;

/// Collects lines and writes them to `W`.
pub(super) struct BatchWriter<W>(Arc<Batch<W>>);

struct Batch<W> {
    lines: Mutex<Vec<u8>>,
    is_any: Condvar,
    has_thread: AtomicBool,
    /// Locked while writing, so that lines stay in order.
    out: Mutex<Output<W>>,
}

struct Output<W> {
    to: W,
    /// Buffer for the next batch while this one is written.
    spare: Vec<u8>,
}

impl<W: Write + Send + 'static> BatchWriter<W> {
    pub(super) fn new(out: W) -> Self {
        Self(Arc::new(Batch {
            lines: Mutex::default(),
            is_any: Condvar::new(),
            has_thread: AtomicBool::new(false),
            out: Mutex::new(Output { to: out, spare: Vec::new() }),
        }))
    }

    /// Starts the thread that writes batches. Before, every line is written at once.
    pub(super) fn start(&self) -> io::Result<()> {
        let batch = Arc::clone(&self.0);
        thread::Builder::new().name("midge-log".to_owned()).spawn(move || {
            loop {
                batch.wait();
                thread::sleep(INTERVAL);
                batch.flush();
            }
        })?;
        self.0.has_thread.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Adds a line. An urgent one is written at once, with all lines before it.
    pub(super) fn add(&self, line: &[u8], is_urgent: bool) {
        let batch = &*self.0;
        let mut lines = lock(&batch.lines);
        let is_first = lines.is_empty();
        lines.extend_from_slice(line);
        let is_full = lines.len() > MAX_BATCH;
        drop(lines);
        if is_urgent || is_full || !batch.has_thread.load(Ordering::Relaxed) {
            batch.flush();
        } else if is_first {
            batch.is_any.notify_one();
        }
    }

    /// Writes the batch.
    pub(super) fn flush(&self) {
        self.0.flush();
    }
}

impl<W: Write> Batch<W> {
    fn wait(&self) {
        let lines = lock(&self.lines);
        drop(self.is_any.wait_while(lines, |lines| lines.is_empty()));
    }

    fn flush(&self) {
        let mut out = lock(&self.out);
        let Output { to, spare } = &mut *out;
        std::mem::swap(spare, &mut *lock(&self.lines));
        // A failure to write the log cannot be reported anywhere.
        let _ = to.write_all(spare).and_then(|()| to.flush());
        spare.clear();
        spare.shrink_to(2 * MAX_BATCH);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use std::{sync::mpsc, time::Instant};

    use super::*;

    /// Records each write.
    struct Writes(mpsc::Sender<Vec<u8>>);

    impl Write for Writes {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.send(bytes.to_vec()).unwrap();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn batch() -> (BatchWriter<Writes>, mpsc::Receiver<Vec<u8>>) {
        let (sender, receiver) = mpsc::channel();
        (BatchWriter::new(Writes(sender)), receiver)
    }

    /// As after [`BatchWriter::start`], with a thread that never writes.
    fn batch_without_timer() -> (BatchWriter<Writes>, mpsc::Receiver<Vec<u8>>) {
        let (batch, writes) = batch();
        batch.0.has_thread.store(true, Ordering::Relaxed);
        (batch, writes)
    }

    #[test]
    fn lines_are_written_within_the_interval() {
        let (batch, writes) = batch();
        batch.start().unwrap();
        for line in ["one\n", "two\n"] {
            batch.add(line.as_bytes(), false);
            assert_eq!(writes.recv_timeout(100 * INTERVAL).unwrap(), line.as_bytes());
        }
    }

    #[test]
    fn an_urgent_line_writes_the_batch() {
        let (batch, writes) = batch_without_timer();
        batch.add(b"one\n", false);
        assert!(writes.try_recv().is_err());
        batch.add(b"two\n", true);
        assert_eq!(writes.try_recv().unwrap(), b"one\ntwo\n");
    }

    #[test]
    fn a_full_batch_is_written() {
        let (batch, writes) = batch_without_timer();
        let line = [b'x'; 1 << 10];
        (0..=MAX_BATCH / line.len()).for_each(|_| batch.add(&line, false));
        assert_eq!(writes.try_recv().unwrap().len(), MAX_BATCH + line.len());
    }

    #[test]
    fn without_a_thread_lines_are_written_at_once() {
        let (batch, writes) = batch();
        let begin = Instant::now();
        batch.add(b"one\n", false);
        assert_eq!(writes.try_recv().unwrap(), b"one\n");
        assert!(begin.elapsed() < Duration::from_secs(10));
    }
}
