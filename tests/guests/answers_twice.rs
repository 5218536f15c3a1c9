//! Answers, and answers again with what it has no more.
#![cfg(target_family = "wasm")]

use midge_test_guests::{Answer, IncomingRequest, ResponseOutparam, guest};

#[allow(unsafe_code, reason = "the bindings do not let a guest answer twice")]
fn handle(_: IncomingRequest, response: ResponseOutparam) {
    // SAFETY: none. The host finds a handle that it has taken back, and must cope.
    let again = unsafe { ResponseOutparam::from_handle(response.handle()) };
    let first = Answer::begin(response, "application/json");
    let _ = first.write(r#"{"answer":1}"#);
    first.finish();
    Answer::begin(again, "application/json").finish();
}

guest!(handle);
