//! Standard output and standard error of guests, as lines of the host's log.

use std::{
    cmp::Ordering,
    hash::{BuildHasher, RandomState},
    io,
    pin::Pin,
    sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
};

use bytes::Bytes;
use tokio::io::AsyncWrite;
use wasmtime_wasi::{
    WasiCtxBuilder, async_trait,
    cli::{IsTerminal, StdoutStream},
    p2::{OutputStream, Pollable, StreamError},
};

use midge_contract::{LOG_KEY, LogLine};

use crate::telemetry::access_log::ExchangeRecord;

/// Longest line, in bytes. The rest of it is dropped.
const MAX_LINE: usize = 8 * 1024;
/// Most lines that an exchange may log on one stream.
pub(super) const MAX_LINES: usize = 1000;
/// Bytes that a guest may write at once.
const BUDGET: usize = 64 * 1024;

/// One output stream of a guest.
#[derive(Clone)]
pub(crate) struct GuestOutput(Arc<Mutex<Output>>);

/// Which output stream it is.
pub(crate) enum Channel {
    /// Standard output: text only.
    Out,
    /// Standard error: lines with this key may be for the host.
    Error(String),
    /// Standard output where that carries the protocol. Whether its author was warned.
    #[cfg(feature = "cli")]
    Misdirected(bool),
}

struct Output {
    channel: Channel,
    lines: Lines,
    record: Arc<ExchangeRecord>,
}

impl GuestOutput {
    /// Creates a stream. Lines beyond `max_lines` are dropped.
    pub(crate) fn new(channel: Channel, max_lines: usize, record: Arc<ExchangeRecord>) -> Self {
        let lines = Lines::new(max_lines);
        Self(Arc::new(Mutex::new(Output { channel, lines, record })))
    }

    /// Sets the standard error of a guest, and grants the guest the key of its own lines.
    pub(crate) fn set_stderr(
        wasi: &mut WasiCtxBuilder,
        max_lines: usize,
        record: &Arc<ExchangeRecord>,
    ) {
        let key = make_key(record.exchange());
        wasi.env(LOG_KEY, &key);
        wasi.stderr(Self::new(Channel::Error(key), max_lines, Arc::clone(record)));
    }

    fn push(&self, bytes: &[u8]) {
        let mut output: MutexGuard<'_, Output> =
            self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Output { channel, lines, record } = &mut *output;
        lines.push(bytes, |line| channel.log(record, line));
    }
}

/// Makes a key that no client can guess. It is of no use after the exchange.
fn make_key(exchange: u64) -> String {
    static SECRET: LazyLock<RandomState> = LazyLock::new(RandomState::new);
    format!("{:016x}", SECRET.hash_one(exchange))
}

impl Drop for Output {
    fn drop(&mut self) {
        let Self { channel, lines, record } = self;
        lines.finish(|line| channel.log(record, line));
    }
}

impl Channel {
    fn log(&mut self, record: &ExchangeRecord, line: &str) {
        let line = match self {
            Self::Out => LogLine::Text(line),
            Self::Error(key) => LogLine::parse(line, key),
            #[cfg(feature = "cli")]
            Self::Misdirected(is_known) => {
                if !std::mem::replace(is_known, true) {
                    warn_of_misdirection(record);
                }
                LogLine::Text(line)
            }
        };
        match line {
            // A panic message has empty lines around it.
            LogLine::Text("") => {}
            LogLine::Text(text) => {
                tracing::info!(target: "midge::guest", exchange = record.exchange(), "{text}");
            }
            LogLine::ClientGone(cause) => record.guest_noticed(cause),
            LogLine::Panic(cause) => record.guest_panicked(cause),
        }
    }
}

#[cfg(feature = "cli")]
fn warn_of_misdirection(record: &ExchangeRecord) {
    tracing::warn!(
        target: "midge::guest",
        exchange = record.exchange(),
        "a tool prints to standard output, which carries the protocol; it is logged instead"
    );
}

impl IsTerminal for GuestOutput {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for GuestOutput {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

#[async_trait]
impl Pollable for GuestOutput {
    async fn ready(&mut self) {}
}

impl OutputStream for GuestOutput {
    fn write(&mut self, bytes: Bytes) -> Result<(), StreamError> {
        self.push(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> Result<(), StreamError> {
        Ok(())
    }

    fn check_write(&mut self) -> Result<usize, StreamError> {
        Ok(BUDGET)
    }
}

impl AsyncWrite for GuestOutput {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.push(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// Splits a stream of bytes into lines of limited length and number.
struct Lines {
    limit: usize,
    partial: Vec<u8>,
    count: usize,
}

impl Lines {
    fn new(limit: usize) -> Self {
        Self { limit, partial: Vec::new(), count: 0 }
    }

    fn push(&mut self, bytes: &[u8], mut each: impl FnMut(&str)) {
        let mut pieces = bytes.split(|byte| *byte == b'\n');
        // `split` gives at least one piece; all but the last are ended by a newline.
        let mut piece = pieces.next().unwrap_or_default();
        for next in pieces {
            self.extend(piece);
            self.end(&mut each);
            piece = next;
        }
        self.extend(piece);
    }

    fn finish(&mut self, mut each: impl FnMut(&str)) {
        if !self.partial.is_empty() {
            self.end(&mut each);
        }
    }

    fn extend(&mut self, piece: &[u8]) {
        let room = MAX_LINE.saturating_sub(self.partial.len());
        self.partial.extend_from_slice(&piece[..piece.len().min(room)]);
    }

    fn end(&mut self, each: &mut impl FnMut(&str)) {
        match self.count.cmp(&self.limit) {
            Ordering::Less => each(String::from_utf8_lossy(&self.partial).trim_end_matches('\r')),
            Ordering::Equal => each("(more output of this guest is dropped)"),
            Ordering::Greater => {}
        }
        self.count = self.count.saturating_add(1);
        self.partial.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use midge_contract::Outcome;

    fn split(writes: &[&[u8]]) -> Vec<String> {
        let (mut lines, mut seen) = (Lines::new(MAX_LINES), Vec::new());
        for bytes in writes {
            lines.push(bytes, |line| seen.push(line.to_owned()));
        }
        lines.finish(|line| seen.push(line.to_owned()));
        seen
    }

    #[test]
    fn lines_are_split_however_they_are_written() {
        assert_eq!(split(&[b"a\nb\r\n", b"c"]), ["a", "b", "c"]);
        assert_eq!(split(&[b"o", b"n", b"e", b"\n"]), ["one"]);
        assert_eq!(split(&[b"\n\n"]), ["", ""]);
        assert_eq!(split(&[]), [""; 0]);
    }

    #[test]
    fn invalid_utf8_is_replaced() {
        assert_eq!(split(&[b"\xff\n"]), ["\u{fffd}"]);
    }

    #[test]
    fn lines_are_limited_in_length_and_number() {
        let long = vec![b'x'; MAX_LINE + 10];
        assert_eq!(split(&[&long, b"y\nz"]), ["x".repeat(MAX_LINE), "z".to_owned()]);
        let many = split(&[&b"x\n".repeat(MAX_LINES * 2)]);
        assert_eq!(many.len(), MAX_LINES + 1);
    }

    fn output(channel: Channel) -> (GuestOutput, Arc<ExchangeRecord>) {
        let record = ExchangeRecord::for_test();
        (GuestOutput::new(channel, MAX_LINES, Arc::clone(&record)), record)
    }

    #[test]
    fn only_standard_error_has_lines_for_the_host() {
        let (out, record) = output(Channel::Out);
        out.push(b"key midge: client-gone: it says\n");
        assert_ne!(record.outcome(), Outcome::ClientGone);
        let (error, record) = output(Channel::Error("key".to_owned()));
        error.push(b"key midge: client-gone: reset\n");
        assert_eq!(record.outcome(), Outcome::ClientGone);
    }

    #[test]
    fn what_a_tool_prints_does_not_pass_for_a_line_of_the_sdk() {
        let (error, record) = output(Channel::Error("key".to_owned()));
        let before = record.outcome();
        for text in ["midge: panic: no\n", "midge: client-gone: no\n", "yek midge: panic: no\n"] {
            error.push(text.as_bytes());
        }
        assert_eq!(record.outcome(), before);
        error.push(b"no end of line\nkey midge: panic: yes\n");
        assert_eq!(record.panic_message().as_deref(), Some("yes"));
    }

    #[test]
    fn each_exchange_has_a_key_of_its_own() {
        let [one, other] = [1, 2].map(make_key);
        assert_ne!(one, other);
        assert_eq!(one, make_key(1));
        assert_eq!(one.len(), 16, "of this length whatever the number: {one}");
    }
}
