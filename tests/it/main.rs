//! Real components, run by the real host, over real sockets.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod clients;
mod conformance;
mod faults;
mod golden;
mod host_review;
mod hosts;
mod limits;
mod on_p2;
mod on_p3;
mod p3;
mod probe;
mod sealing;
mod shutdown;
mod stdio;
mod swap;
mod upstream;
mod wasi;
