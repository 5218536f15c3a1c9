//! The harness: serves a guest by the real host on a socket of its own, talks to it, and hears
//! everything that is logged.
//!
//! ```no_run
//! # async fn test() {
//! use midge_tests::{Message, Serving, guests};
//! use serde_json::json;
//!
//! let serving = Serving::of(guests::HELLO).await;
//! let answer = serving.send(&Message::call("greet", json!({"name": "you"}))).await;
//! assert_eq!(answer.json()["result"]["content"][0]["text"], "Hello, you!");
//! let line = serving.exchange().await;
//! assert_eq!(line["outcome"], "ok");
//! # }
//! ```
//!
//! Nothing here sleeps for luck, and nothing waits for ever: whoever waits, waits for a condition
//! and for [`PATIENCE`] at most.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a harness tells a test of its failure by panicking"
)]

mod answer;
mod client;
pub mod guests;
mod log;
mod message;
mod serving;
mod wire;

use std::time::Duration;

pub use self::{
    answer::Answer,
    client::{Http2, request, send},
    log::{Line, Log},
    message::{Message, VERSION},
    serving::{Serving, config, join},
    wire::{LEAVINGS, Leaving, Wire},
};

/// How long a test waits for what must come.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// Waits for what must come.
pub async fn soon<F: IntoFuture>(what: &str, future: F) -> F::Output {
    match tokio::time::timeout(PATIENCE, future).await {
        Ok(output) => output,
        Err(_) => panic!("{what}: not within {PATIENCE:?}"),
    }
}
