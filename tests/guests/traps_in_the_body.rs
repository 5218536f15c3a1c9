//! Traps when half of its answer has left.
#![cfg(target_family = "wasm")]

use midge_test_guests::{Answer, IncomingRequest, ResponseOutparam, guest, let_it_leave};

fn handle(_: IncomingRequest, response: ResponseOutparam) {
    let answer = Answer::begin(response, "application/json");
    let _ = answer.write(r#"{"jsonrpc":"2.0","#);
    let_it_leave();
    std::process::abort();
}

guest!(handle);
