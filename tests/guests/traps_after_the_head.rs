//! Traps with its head handed over and half of its body written, before any of it can have left.
#![cfg(target_family = "wasm")]

use midge_test_guests::{Answer, IncomingRequest, ResponseOutparam, guest};

fn handle(_: IncomingRequest, response: ResponseOutparam) {
    let answer = Answer::begin(response, "application/json");
    let _ = answer.write(r#"{"jsonrpc":"2.0","#);
    std::process::abort();
}

guest!(handle);
