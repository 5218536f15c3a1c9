//! Streams one event, then traps.
#![cfg(target_family = "wasm")]

use midge_test_guests::{Answer, IncomingRequest, ResponseOutparam, guest, let_it_leave};

fn handle(_: IncomingRequest, response: ResponseOutparam) {
    let answer = Answer::begin(response, "text/event-stream");
    let _ = answer.write("data: {\"event\":1}\n\n");
    let_it_leave();
    std::process::abort();
}

guest!(handle);
