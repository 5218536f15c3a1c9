//! The server's log: the standard error stream.
//!
//! In both worlds this is the stream of WASI 0.2, which the standard library has for its own
//! messages: it takes a line without waiting, so that a panic can still be told.

/// Writes a line to the standard error stream, or what of it fits into one write. One line: what
/// comes after a line break would pass for a line of its own.
pub(super) fn log(line: &str) {
    let mut bytes = line.as_bytes()[..line.len().min(4095)].to_vec();
    for byte in bytes.iter_mut().filter(|byte| matches!(byte, b'\r' | b'\n')) {
        *byte = b' ';
    }
    bytes.push(b'\n');
    // Nobody is left to tell when the log itself fails.
    let _ = wasip2::cli::stderr::get_stderr().blocking_write_and_flush(&bytes);
}
