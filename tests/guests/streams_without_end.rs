//! Streams for as long as somebody takes it.
#![cfg(target_family = "wasm")]

use midge_test_guests::{Answer, IncomingRequest, ResponseOutparam, guest};

fn handle(_: IncomingRequest, response: ResponseOutparam) {
    let answer = Answer::begin(response, "text/event-stream");
    let event = format!("data: {}\n\n", "x".repeat(4000));
    while answer.write(&event).is_ok() {}
}

guest!(handle);
