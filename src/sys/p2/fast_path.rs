//! `midge:mcp/exchange`: an exchange in one call, where the host knows it.
//!
//! The request is all there, and so are most answers when their handler is done. What is more, a
//! stream or work for after the answer, goes through `wasi:http` as ever.

use midge_contract::http1::RequestLine;
use wasip2::http::types::ResponseOutparam;

use crate::headers::map::Fields;
use crate::server::Server;
use crate::sys::p2::bindings::exports::midge::mcp::exchange::Answer;
use crate::sys::p2::http::{self, BufferedResponse, RequestBody};
use crate::transport::http::{Method, RequestHead};

/// Answers one exchange. Called by `export!`.
pub fn handle(
    build: fn() -> Server,
    head: Vec<u8>,
    body: Vec<u8>,
    response: ResponseOutparam,
) -> Option<Answer> {
    http::run(build, read_head(head), RequestBody::Buffered(Some(body)), response, true).map(answer)
}

/// Answers one exchange that needs nothing of the world. Called by `export!`.
pub fn attempt(build: fn() -> Server, head: Vec<u8>, body: Vec<u8>) -> Option<Answer> {
    http::attempt(build, read_head(head), body).map(answer)
}

fn answer((head, body): BufferedResponse) -> Answer {
    let fields = head.headers.into_text();
    Answer { status: head.status.as_u16(), fields, body: body.into_bytes() }
}

/// Reads the request line and the fields.
fn read_head(head: Vec<u8>) -> RequestHead {
    let line = RequestLine::decode(&head);
    let method = match line.method {
        b"POST" => Method::Post,
        b"OPTIONS" => Method::Options,
        _ => Method::Other,
    };
    let path = String::from_utf8(line.path.to_vec()).unwrap_or_default();
    let start = line.length;
    let headers = Fields::from_text(head, start);
    // Of use beside an origin only.
    let authority = headers.contains("origin").then(|| headers.texts("host").next());
    let authority = authority.flatten().map(str::to_owned);
    RequestHead { method, path, authority, headers }
}
