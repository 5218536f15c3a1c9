//! Waits and never answers.
#![cfg(target_family = "wasm")]

use std::time::Duration;

use midge_test_guests::{IncomingRequest, ResponseOutparam, guest, sleep};

fn handle(_: IncomingRequest, _response: ResponseOutparam) {
    loop {
        sleep(Duration::from_secs(3600));
    }
}

guest!(handle);
