//! Log lines that are gathered for a moment and then written together.
//!
//! A system call for each line is a good part of what a small exchange costs. What can be lost is
//! little and known: the lines of the last moment that are no warnings, if the process is killed.

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
const MOMENT: Duration = Duration::from_millis(20);
/// With more than this, whoever adds a line writes them all, so that memory stays bounded and a log
/// that is not read holds the exchanges back.
const MOST: usize = 64 << 10;

/// Lines on their way to `W`. All clones are one.
pub(super) struct Gathered<W>(Arc<Shared<W>>);

struct Shared<W> {
    lines: Mutex<Vec<u8>>,
    is_any: Condvar,
    has_thread: AtomicBool,
    /// Held while writing, so that lines stay in order.
    out: Mutex<Out<W>>,
}

struct Out<W> {
    to: W,
    /// Room for the lines to come, while others are written.
    spare: Vec<u8>,
}

impl<W: Write + Send + 'static> Gathered<W> {
    pub(super) fn new(out: W) -> Self {
        Self(Arc::new(Shared {
            lines: Mutex::default(),
            is_any: Condvar::new(),
            has_thread: AtomicBool::new(false),
            out: Mutex::new(Out { to: out, spare: Vec::new() }),
        }))
    }

    /// Begins to gather. Before, every line is written at once.
    pub(super) fn start(&self) -> io::Result<()> {
        let shared = Arc::clone(&self.0);
        thread::Builder::new().name("midge-log".to_owned()).spawn(move || {
            loop {
                shared.wait();
                thread::sleep(MOMENT);
                shared.flush();
            }
        })?;
        self.0.has_thread.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Adds a line; an urgent one is written at once, with all before it.
    pub(super) fn add(&self, line: &[u8], is_urgent: bool) {
        let shared = &*self.0;
        let mut lines = lock(&shared.lines);
        let is_first = lines.is_empty();
        lines.extend_from_slice(line);
        let is_much = lines.len() > MOST;
        drop(lines);
        if is_urgent || is_much || !shared.has_thread.load(Ordering::Relaxed) {
            shared.flush();
        } else if is_first {
            shared.is_any.notify_one();
        }
    }

    /// Writes what there is.
    pub(super) fn flush(&self) {
        self.0.flush();
    }
}

impl<W: Write> Shared<W> {
    fn wait(&self) {
        let lines = lock(&self.lines);
        drop(self.is_any.wait_while(lines, |lines| lines.is_empty()));
    }

    fn flush(&self) {
        let mut out = lock(&self.out);
        let Out { to, spare } = &mut *out;
        std::mem::swap(spare, &mut *lock(&self.lines));
        // There is nowhere to tell that the log cannot be written.
        let _ = to.write_all(spare).and_then(|()| to.flush());
        spare.clear();
        spare.shrink_to(2 * MOST);
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

    /// Each write as it came.
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

    fn gathered() -> (Gathered<Writes>, mpsc::Receiver<Vec<u8>>) {
        let (sender, receiver) = mpsc::channel();
        (Gathered::new(Writes(sender)), receiver)
    }

    /// As after [`Gathered::start`], with a thread that never comes to it.
    fn gathered_for_long() -> (Gathered<Writes>, mpsc::Receiver<Vec<u8>>) {
        let (gathered, writes) = gathered();
        gathered.0.has_thread.store(true, Ordering::Relaxed);
        (gathered, writes)
    }

    #[test]
    fn lines_are_written_soon_and_by_themselves() {
        let (gathered, writes) = gathered();
        gathered.start().unwrap();
        for line in ["one\n", "two\n"] {
            gathered.add(line.as_bytes(), false);
            assert_eq!(writes.recv_timeout(100 * MOMENT).unwrap(), line.as_bytes());
        }
    }

    #[test]
    fn an_urgent_line_takes_the_others_along() {
        let (gathered, writes) = gathered_for_long();
        gathered.add(b"one\n", false);
        assert!(writes.try_recv().is_err());
        gathered.add(b"two\n", true);
        assert_eq!(writes.try_recv().unwrap(), b"one\ntwo\n");
    }

    #[test]
    fn a_log_that_is_slow_to_be_written_stays_bounded() {
        let (gathered, writes) = gathered_for_long();
        let line = [b'x'; 1 << 10];
        (0..=MOST / line.len()).for_each(|_| gathered.add(&line, false));
        assert_eq!(writes.try_recv().unwrap().len(), MOST + line.len());
    }

    #[test]
    fn without_a_thread_nothing_waits() {
        let (gathered, writes) = gathered();
        let begin = Instant::now();
        gathered.add(b"one\n", false);
        assert_eq!(writes.try_recv().unwrap(), b"one\n");
        assert!(begin.elapsed() < Duration::from_secs(10));
    }
}
