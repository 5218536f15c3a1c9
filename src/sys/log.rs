//! The server's log: the standard error stream.
//!
//! In both worlds this is the stream of WASI 0.2, which the standard library has for its own
//! messages: it takes a line without waiting, so that a panic can still be told.

use midge_contract::LOG_KEY;

/// Writes a line to the standard error stream, or what of it fits into one write. One line: what
/// comes after a line break would pass for a line of its own.
pub(super) fn log(line: &str) {
    let mut bytes = Vec::new();
    if let Some(key) = std::env::var_os(LOG_KEY) {
        // On a line of its own, whatever a tool has printed before.
        bytes = [b"\n".as_slice(), key.as_encoded_bytes(), b" "].concat();
    }
    let start = bytes.len();
    bytes.extend_from_slice(line.as_bytes());
    bytes.truncate(4095);
    for byte in bytes.iter_mut().skip(start).filter(|byte| matches!(byte, b'\r' | b'\n')) {
        *byte = b' ';
    }
    bytes.push(b'\n');
    // Nobody is left to tell when the log itself fails.
    let _ = wasip2::cli::stderr::get_stderr().blocking_write_and_flush(&bytes);
}
