//! What the guests of the tests share; the guests themselves are the examples of this package.
//!
//! They speak `wasi:http` directly, since the SDK would not let them misbehave. Natively there is
//! nothing here.
#![cfg(target_family = "wasm")]

use std::time::Duration;

pub use wasip2;
pub use wasip2::exports::http::incoming_handler::Guest as IncomingHandler;
pub use wasip2::http::types::{IncomingRequest, ResponseOutparam};
use wasip2::{
    clocks::monotonic_clock,
    http::types::{Fields, OutgoingBody, OutgoingResponse},
    io::streams::{OutputStream, StreamError},
};

/// Exports a function as the component's HTTP handler.
#[macro_export]
macro_rules! guest {
    ($handle:path) => {
        struct Guest;
        impl $crate::IncomingHandler for Guest {
            fn handle(request: $crate::IncomingRequest, response: $crate::ResponseOutparam) {
                $handle(request, response);
            }
        }
        $crate::wasip2::http::proxy::export!(Guest with_types_in $crate::wasip2);
    };
}

/// An answer whose head is on its way, and whose body is still to be written.
pub struct Answer {
    stream: OutputStream,
    body: OutgoingBody,
}

impl Answer {
    /// Hands the head to the host.
    pub fn begin(response: ResponseOutparam, content_type: &str) -> Self {
        let headers = [("content-type".to_owned(), content_type.as_bytes().to_vec())];
        let head = OutgoingResponse::new(Fields::from_list(&headers).unwrap());
        let body = head.body().unwrap();
        ResponseOutparam::set(response, Ok(head));
        Self { stream: body.write().unwrap(), body }
    }

    /// Gives an answer that announces that it has no body.
    pub fn empty(response: ResponseOutparam, status: u16) {
        let headers = [("content-length".to_owned(), b"0".to_vec())];
        let head = OutgoingResponse::new(Fields::from_list(&headers).unwrap());
        head.set_status_code(status).unwrap();
        let body = head.body().unwrap();
        ResponseOutparam::set(response, Ok(head));
        OutgoingBody::finish(body, None).unwrap();
    }

    /// Writes and waits until the host has taken it.
    pub fn write(&self, text: &str) -> Result<(), StreamError> {
        self.stream.blocking_write_and_flush(text.as_bytes())
    }

    /// Ends the body as it should be.
    pub fn finish(self) {
        drop(self.stream);
        OutgoingBody::finish(self.body, None).unwrap();
    }
}

/// Waits without burning CPU.
pub fn sleep(time: Duration) {
    let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
    monotonic_clock::subscribe_duration(nanos).block();
}

/// Waits long enough for the host to send what it has been given.
pub fn let_it_leave() {
    sleep(Duration::from_millis(200));
}
