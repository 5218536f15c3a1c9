//! What a server of the SDK does, built for WASI 0.3: the same tests, of other components.
#![allow(clippy::duplicate_mod, reason = "the same tests, of other components")]

use midge_tests::guests::p3 as guests;

#[path = "answers.rs"]
mod answers;
#[path = "client_gone.rs"]
mod client_gone;
#[path = "http2.rs"]
mod http2;
#[path = "rounds.rs"]
mod rounds;
#[path = "status.rs"]
mod status;
#[path = "subscriptions.rs"]
mod subscriptions;
