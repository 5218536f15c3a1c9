//! Burns CPU and never answers.
#![cfg(target_family = "wasm")]

use midge_test_guests::{IncomingRequest, ResponseOutparam, guest};

fn handle(_: IncomingRequest, _response: ResponseOutparam) {
    let mut turns = 0_u64;
    loop {
        turns = std::hint::black_box(turns.wrapping_add(1));
    }
}

guest!(handle);
