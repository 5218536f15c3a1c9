//! Answers, and answers again with what it has no more. The path says how far the first answer
//! has come: `/whole` is finished, anything else is not.
#![cfg(target_family = "wasm")]

use midge_test_guests::{Answer, IncomingRequest, ResponseOutparam, guest};

#[allow(unsafe_code, reason = "the bindings do not let a guest answer twice")]
fn handle(request: IncomingRequest, response: ResponseOutparam) {
    // SAFETY: none. The host finds a handle that it has taken back, and must cope.
    let again = unsafe { ResponseOutparam::from_handle(response.handle()) };
    let first = Answer::begin(response, "application/json");
    let _ = first.write(r#"{"answer":1}"#);
    if request.path_with_query().as_deref() == Some("/whole") {
        first.finish();
    }
    Answer::begin(again, "application/json").finish();
}

guest!(handle);
