//! Takes memory until there is none.
#![cfg(target_family = "wasm")]

use midge_test_guests::{IncomingRequest, ResponseOutparam, guest};

fn handle(_: IncomingRequest, _response: ResponseOutparam) {
    let mut held = Vec::new();
    loop {
        held.push(std::hint::black_box(vec![1_u8; 1 << 20]));
    }
}

guest!(handle);
