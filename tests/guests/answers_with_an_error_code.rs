//! Answers with an error of `wasi:http` instead of a response.
#![cfg(target_family = "wasm")]

use midge_test_guests::{IncomingRequest, ResponseOutparam, guest, wasip2::http::types::ErrorCode};

fn handle(_: IncomingRequest, response: ResponseOutparam) {
    ResponseOutparam::set(response, Err(ErrorCode::InternalError(Some("no luck".to_owned()))));
}

guest!(handle);
