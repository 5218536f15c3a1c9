//! Real components, run by the real host, over real sockets.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod clients;
mod configuration;
mod conformance;
mod faults;
mod generated;
mod golden;
mod host_review;
mod hosts;
mod isolation;
mod jco;
mod keyvalue;
mod limits;
mod on_p2;
mod on_p3;
mod p3;
mod probe;
mod readme;
mod releases;
mod sealing;
mod shutdown;
mod spin;
mod stdio;
mod swap;
mod upstream;
mod wasi;
mod wasmcloud;
mod whole;
