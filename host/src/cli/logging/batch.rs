//! Writes log lines in batches, from a thread of its own.
//!
//! A system call for each line is a considerable part of the cost of a small exchange. If the process
//! is killed, the lines of the last 20 ms are lost, except warnings and errors.
//!
//! Adding a line never waits for the output: a pipe that is not read must not stop the exchanges. The
//! queue is bounded, and lines beyond that are dropped and counted.

use std::{
    io::{self, Write},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

/// How long a line may wait for others.
const INTERVAL: Duration = Duration::from_millis(20);
/// Size at which a batch is written before its interval is over.
const BATCH: usize = 64 << 10;
/// Size at which lines are dropped: what the busiest host logs in a tenth of a second.
const CAPACITY: usize = 1 << 20;

/// Target of lines about the log itself.
pub(super) const TARGET: &str = "midge::log";

/// Returns the message that counts dropped lines.
pub(super) fn drop_message(count: u64) -> String {
    format!("{count} log lines were dropped")
}

/// Formats the line that counts dropped lines.
pub(super) type DropNotice = fn(count: u64) -> String;

/// Queues lines for the thread that writes them.
#[derive(Clone)]
pub(super) struct BatchWriter(Arc<Shared>);

#[derive(Default)]
struct Shared {
    queue: Mutex<Queue>,
    changed: Condvar,
}

#[derive(Default)]
struct Queue {
    lines: Vec<u8>,
    /// Lines that had no room.
    dropped: u64,
    /// Whether the batch is to be written without waiting for the interval.
    is_urgent: bool,
    is_writing: bool,
}

impl Queue {
    fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    fn is_due(&self) -> bool {
        self.is_urgent || self.lines.len() >= BATCH
    }
}

impl BatchWriter {
    /// Starts the thread that writes to `out`.
    pub(super) fn start(out: impl Write + Send + 'static, notice: DropNotice) -> io::Result<Self> {
        let shared = Arc::<Shared>::default();
        let writer = Self(Arc::clone(&shared));
        thread::Builder::new()
            .name("midge-log".to_owned())
            .spawn(move || shared.write_batches(out, notice))?;
        Ok(writer)
    }

    /// Adds a line, or drops it if the queue is full. An urgent one is written without delay, with all
    /// lines before it.
    pub(super) fn add(&self, line: &[u8], is_urgent: bool) {
        let mut queue = self.0.lock();
        if queue.lines.len() + line.len() > CAPACITY {
            queue.dropped += 1;
            return;
        }
        let (was_empty, was_due) = (queue.is_empty(), queue.is_due());
        queue.lines.extend_from_slice(line);
        queue.is_urgent |= is_urgent;
        // The thread is woken only for a change that it waits for.
        let wakes = was_empty || (!was_due && queue.is_due());
        drop(queue);
        if wakes {
            self.0.changed.notify_all();
        }
    }

    /// Waits until all lines are written, but no longer than `limit`.
    pub(super) fn flush(&self, limit: Duration) {
        let mut queue = self.0.lock();
        queue.is_urgent = true;
        self.0.changed.notify_all();
        let is_unwritten = |queue: &mut Queue| queue.is_writing || !queue.is_empty();
        drop(self.0.changed.wait_timeout_while(queue, limit, is_unwritten));
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_batches(&self, mut out: impl Write, notice: DropNotice) {
        let mut batch = Vec::new();
        loop {
            let dropped = self.take(&mut batch);
            if dropped > 0 {
                batch.extend_from_slice(notice(dropped).as_bytes());
            }
            // A failure to write the log cannot be reported anywhere.
            let _ = out.write_all(&batch).and_then(|()| out.flush());
            batch.clear();
            batch.shrink_to(2 * BATCH);
        }
    }

    /// Waits for a batch, the last one being written, and takes it. Returns how many lines were dropped
    /// after it.
    fn take(&self, batch: &mut Vec<u8>) -> u64 {
        let mut queue = self.lock();
        queue.is_writing = false;
        if queue.is_empty() {
            // Wakes those who wait for all lines to be written.
            self.changed.notify_all();
        }
        let queue = self.changed.wait_while(queue, |queue| queue.is_empty());
        let queue = queue.unwrap_or_else(PoisonError::into_inner);
        let waited = self.changed.wait_timeout_while(queue, INTERVAL, |queue| !queue.is_due());
        let (mut queue, _) = waited.unwrap_or_else(PoisonError::into_inner);
        std::mem::swap(batch, &mut queue.lines);
        queue.is_urgent = false;
        queue.is_writing = true;
        std::mem::take(&mut queue.dropped)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use std::{sync::mpsc, time::Instant};

    use super::*;

    const LONG: Duration = Duration::from_secs(30);

    /// Records each write, and may wait after it for a permission to go on.
    struct Writes(mpsc::Sender<Vec<u8>>, Option<mpsc::Receiver<()>>);

    impl Write for Writes {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.send(bytes.to_vec()).unwrap();
            // Fails once the test is over.
            let _ = self.1.as_ref().map(mpsc::Receiver::recv);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn notice(count: u64) -> String {
        format!("{count} dropped")
    }

    fn batch() -> (BatchWriter, mpsc::Receiver<Vec<u8>>) {
        let (sender, writes) = mpsc::channel();
        (BatchWriter::start(Writes(sender, None), notice).unwrap(), writes)
    }

    /// A writer whose output is blocked in the write of `first` until a permission is sent.
    fn blocked() -> (BatchWriter, mpsc::Receiver<Vec<u8>>, mpsc::Sender<()>) {
        let ((sender, writes), (permit, permission)) = (mpsc::channel(), mpsc::channel());
        let batch = BatchWriter::start(Writes(sender, Some(permission)), notice).unwrap();
        batch.add(b"first", true);
        assert_eq!(writes.recv_timeout(LONG).unwrap(), b"first");
        (batch, writes, permit)
    }

    #[test]
    fn lines_are_written_within_the_interval() {
        let (batch, writes) = batch();
        for line in ["one\n", "two\n"] {
            batch.add(line.as_bytes(), false);
            assert_eq!(writes.recv_timeout(LONG).unwrap(), line.as_bytes());
        }
    }

    #[test]
    fn an_urgent_line_is_written_with_all_before_it() {
        let (batch, writes) = batch();
        batch.add(b"one\n", false);
        batch.add(b"two\n", true);
        let mut written = writes.recv_timeout(LONG).unwrap();
        while written.len() < 8 {
            written.extend(writes.recv_timeout(LONG).unwrap());
        }
        assert_eq!(written, b"one\ntwo\n");
    }

    #[test]
    fn lines_of_a_blocked_log_are_dropped_and_counted_in_the_next_batch() {
        let (batch, writes, permit) = blocked();
        let line = [b'x'; 1 << 10];
        (0..CAPACITY / line.len() + 7).for_each(|_| batch.add(&line, true));
        permit.send(()).unwrap();
        let written = writes.recv_timeout(LONG).unwrap();
        assert_eq!(written.len(), CAPACITY + notice(7).len());
        assert!(written.ends_with(notice(7).as_bytes()));
        batch.add(b"next", true);
        permit.send(()).unwrap();
        assert_eq!(writes.recv_timeout(LONG).unwrap(), b"next", "counted once");
    }

    #[test]
    fn a_flush_waits_for_the_last_write_and_not_for_a_blocked_one() {
        let (batch, writes, permit) = blocked();
        let begin = Instant::now();
        batch.flush(INTERVAL);
        assert!(begin.elapsed() < LONG);
        batch.add(b"last", false);
        permit.send(()).unwrap();
        permit.send(()).unwrap();
        batch.flush(LONG);
        assert_eq!(writes.try_recv().unwrap(), b"last");
        assert!(begin.elapsed() < LONG, "the last write is noticed");
    }
}
