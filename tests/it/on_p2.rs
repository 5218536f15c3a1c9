//! What a server of the SDK does, built for WASI 0.2.

use midge_tests::guests;

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
pub(crate) mod subscriptions;
