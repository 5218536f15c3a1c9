//! Real components, run by the real host, over real sockets.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod answers;
mod client_gone;
mod clients;
mod conformance;
mod faults;
mod golden;
mod host_review;
mod hosts;
mod http2;
mod limits;
mod probe;
mod rounds;
mod sealing;
mod shutdown;
mod status;
mod stdio;
mod subscriptions;
mod swap;
mod upstream;
mod wasi;
mod whole;
