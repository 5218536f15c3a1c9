//! Traps before it has an answer.
#![cfg(target_family = "wasm")]

use midge_test_guests::{IncomingRequest, ResponseOutparam, guest};

fn handle(_: IncomingRequest, _: ResponseOutparam) {
    std::process::abort();
}

guest!(handle);
