//! What can keep a benchmark from coming to its end.

use std::{io, path::PathBuf};

/// Whatever it is, there are no figures: half a comparison is none.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BenchError {
    #[error("build with --release: figures of a debug build mean nothing")]
    Debug,
    #[error("`cargo build` of {0} failed, see above")]
    Build(&'static str),
    #[error("{what} did not answer within {seconds} s")]
    Silent { what: String, seconds: u64 },
    #[error("{what} ended before it answered: {status}")]
    Ended { what: String, status: std::process::ExitStatus },
    #[error("{0} closed the connection with an answer outstanding")]
    Closed(String),
    #[error("{what} answered wrongly: {status}, {length} bytes: {excerpt}")]
    Wrong { what: String, status: u16, length: usize, excerpt: String },
    #[error("{path}: {source}")]
    File { path: PathBuf, source: io::Error },
    #[error("{path}: {reason}")]
    Format { path: PathBuf, reason: String },
    #[error("HTTP: {0}")]
    Http(#[from] hyper::Error),
    #[error("a histogram: {0}")]
    Histogram(#[from] hdrhistogram::CreationError),
    #[error("a histogram: {0}")]
    Record(#[from] hdrhistogram::RecordError),
    #[error(transparent)]
    Io(#[from] io::Error),
}
