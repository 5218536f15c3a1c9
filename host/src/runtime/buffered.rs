//! Buffered requests and responses, for guests that export `midge:mcp/exchange`.
//!
//! Such a guest is called once with the whole request. No instance waits for a slow client.

use std::{
    collections::VecDeque,
    future::poll_fn,
    pin::{Pin, pin},
    task::{Context, Poll},
};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, header, request};
use http_body::{Body, Frame, SizeHint};
use midge_contract::http1;
use tokio::sync::OwnedSemaphorePermit;
use wasmtime::component::{ComponentType, Lift};
use wasmtime_wasi_http::DEFAULT_FORBIDDEN_HEADERS;

use super::limits::MAX_FIELDS;
use crate::telemetry::fault::Fault;

/// Limit of a buffered body; larger ones are streamed.
const MAX_BUFFERED: usize = 64 << 10;

/// A request, as far as it has been received.
pub(crate) enum ReceivedRequest<B> {
    /// The whole request.
    Buffered(BufferedRequest),
    /// The head and the first pieces of the body, which goes on.
    Streaming(Request<Rewind<B>>),
}

/// A whole request, in the form of `midge:mcp/exchange`.
pub(crate) struct BufferedRequest {
    pub(crate) head: Vec<u8>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// A whole response, in the form of `midge:mcp/exchange`.
#[derive(ComponentType, Lift)]
#[component(record)]
pub(crate) struct RawResponse {
    pub(crate) status: u16,
    pub(crate) fields: Vec<u8>,
    pub(crate) body: Vec<u8>,
}

/// Reads a request to its end, or to the limit of a buffered body.
pub(crate) async fn read<B>(request: Request<B>) -> Result<ReceivedRequest<B>, B::Error>
where
    B: Body<Data = Bytes> + Unpin,
{
    let (parts, mut body) = request.into_parts();
    let (mut read, mut size) = (VecDeque::new(), 0);
    let expected = body.size_hint().lower();
    while size <= MAX_BUFFERED && expected <= MAX_BUFFERED as u64 {
        match poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
            Some(frame) => {
                let Ok(piece) = frame?.into_data() else { continue };
                size += piece.len();
                read.push_back(piece);
            }
            None => {
                let (head, body) = (head_lines(&parts), joined(read, size));
                let headers = parts.headers;
                return Ok(ReceivedRequest::Buffered(BufferedRequest { head, headers, body }));
            }
        }
    }
    Ok(ReceivedRequest::Streaming(Request::from_parts(parts, Rewind { read, rest: body })))
}

fn joined(mut pieces: VecDeque<Bytes>, size: usize) -> Bytes {
    if pieces.len() < 2 {
        return pieces.pop_front().unwrap_or_default();
    }
    let mut all = BytesMut::with_capacity(size);
    pieces.iter().for_each(|piece| all.extend_from_slice(piece));
    all.freeze()
}

/// Encodes the head of a request, without the fields that concern only client and host.
fn head_lines(parts: &request::Parts) -> Vec<u8> {
    let mut text = Vec::with_capacity(1024);
    let target = parts.uri.path_and_query().map_or("/", |target| target.as_str());
    http1::encode_request_line(&mut text, parts.method.as_str(), target);
    let authority = parts.uri.authority().map(|authority| authority.as_str().as_bytes());
    let host = authority.or_else(|| Some(parts.headers.get(header::HOST)?.as_bytes()));
    if let Some(host) = host {
        http1::encode_field(&mut text, header::HOST.as_str(), host);
    }
    let fields = parts.headers.iter().filter(|(name, _)| !DEFAULT_FORBIDDEN_HEADERS.contains(name));
    for (name, value) in fields {
        http1::encode_field(&mut text, name.as_str(), value.as_bytes());
    }
    text
}

/// A whole response, and the permit that it holds until its client has received it.
pub(crate) struct BufferedResponse {
    pub(crate) raw: RawResponse,
    pub(crate) permit: Option<OwnedSemaphorePermit>,
}

impl BufferedResponse {
    /// Parses the response: its status and fields, its body, and the permit.
    pub(crate) fn parse(self) -> Result<(Response<Bytes>, Option<OwnedSemaphorePermit>), Fault> {
        let RawResponse { status, fields, body } = self.raw;
        let refuse = |what: &str| Fault::ErrorCode(format!("an invalid {what}"));
        let status = StatusCode::from_u16(status).ok().filter(|status| !status.is_informational());
        let mut response = Response::new(Bytes::from(body));
        *response.status_mut() = status.ok_or_else(|| refuse("status"))?;
        *response.headers_mut() =
            parse_fields(fields.into()).ok_or_else(|| refuse("header field"))?;
        Ok((response, self.permit))
    }
}

/// Parses fields in the form of HTTP/1.1, as many as `wasi:http` allows. Fields that only the host
/// may set are left out.
fn parse_fields(text: Bytes) -> Option<HeaderMap> {
    if text.len() > MAX_FIELDS {
        return None;
    }
    let mut fields = HeaderMap::with_capacity(8);
    for field in http1::decode_fields(&text, 0, memchr::memchr) {
        let field = field.ok()?;
        let name = HeaderName::from_bytes(text.get(field.name)?).ok()?;
        let value = HeaderValue::from_maybe_shared(text.slice(field.value)).ok()?;
        let is_hosts = name == header::CONTENT_LENGTH || DEFAULT_FORBIDDEN_HEADERS.contains(&name);
        if !is_hosts {
            // `HeaderMap::append` panics above its capacity limit.
            fields.try_append(name, value).ok()?;
        }
    }
    Some(fields)
}

/// A body whose first pieces have been read and are returned again.
pub(crate) struct Rewind<B> {
    read: VecDeque<Bytes>,
    rest: B,
}

impl<B> Rewind<B> {
    /// Wraps a body of which nothing has been read.
    pub(crate) fn new(rest: B) -> Self {
        Self { read: VecDeque::new(), rest }
    }
}

impl<B: Body<Data = Bytes> + Unpin> Body for Rewind<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        match self.read.pop_front() {
            Some(piece) => Poll::Ready(Some(Ok(Frame::data(piece)))),
            None => pin!(&mut self.rest).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.read.is_empty() && self.rest.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let read: usize = self.read.iter().map(Bytes::len).sum();
        let (read, rest) = (read as u64, self.rest.size_hint());
        let mut hint = SizeHint::new();
        hint.set_lower(rest.lower().saturating_add(read));
        if let Some(upper) = rest.upper() {
            hint.set_upper(upper.saturating_add(read));
        }
        hint
    }
}

#[cfg(test)]
#[allow(clippy::panic, clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use http_body_util::{BodyExt, Full};

    use super::*;

    #[tokio::test]
    async fn a_small_request_is_read_whole() {
        let request = Request::post("http://midge.example/mcp?x=1")
            .header("Host", "other.example")
            .header("Connection", "keep-alive")
            .header("Mcp-Name", "greet")
            .body(Full::from("{}"))
            .unwrap();
        let ReceivedRequest::Buffered(BufferedRequest { head, body, .. }) =
            read(request).await.unwrap()
        else {
            panic!()
        };
        let expected = "POST /mcp?x=1 HTTP/1.1\r\nhost: midge.example\r\nmcp-name: greet\r\n";
        assert_eq!(String::from_utf8(head).unwrap(), expected);
        assert_eq!(body, "{}");
    }

    #[tokio::test]
    async fn a_large_request_is_streamed_and_nothing_is_lost() {
        let body = Bytes::from(vec![b'x'; MAX_BUFFERED + 1]);
        let request = Request::new(Full::from(body.clone()));
        let ReceivedRequest::Streaming(request) = read(request).await.unwrap() else { panic!() };
        assert!(request.body().read.is_empty(), "its length was known");
        assert_eq!(request.into_body().collect().await.unwrap().to_bytes(), body);
    }

    #[tokio::test]
    async fn what_was_read_of_a_body_without_a_length_comes_first() {
        let pieces = ["one ", "two ", "three"].map(|text| text.repeat(10_000));
        let stream = Rewind {
            read: pieces.iter().cloned().map(Bytes::from).collect(),
            rest: Full::from("the rest"),
        };
        let hidden = Request::new(Rewind { read: VecDeque::new(), rest: Unsized(stream) });
        let ReceivedRequest::Streaming(request) = read(hidden).await.unwrap() else { panic!() };
        let all = request.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(all, pieces.concat() + "the rest");
    }

    /// A body whose length nobody knows.
    struct Unsized<B>(B);

    impl<B: Body + Unpin> Body for Unsized<B> {
        type Data = B::Data;
        type Error = B::Error;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            cx: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
            Pin::new(&mut self.0).poll_frame(cx)
        }
    }

    #[test]
    fn a_guest_does_not_say_what_is_the_hosts_to_say() {
        let text = "content-type: text/plain\r\nconnection: close\r\ncontent-length: 7\r\n\
                    transfer-encoding: chunked\r\nx-two:a\r\nx-two: b \r\n";
        let fields = parse_fields(Bytes::from_static(text.as_bytes())).unwrap();
        assert_eq!(fields.len(), 3, "{fields:?}");
        assert_eq!(fields["content-type"], "text/plain");
        assert_eq!(fields.get_all("x-two").iter().collect::<Vec<_>>(), ["a", "b"]);
    }

    #[test]
    fn what_are_no_fields_is_refused() {
        for text in ["no colon\r\n", "cut: off", "a b: c\r\n", "x: \u{1}\r\n", "\r\n", ": x\r\n"] {
            assert!(parse_fields(Bytes::from(text)).is_none(), "{text:?}");
        }
        assert!(parse_fields(Bytes::new()).is_some_and(|fields| fields.is_empty()));
    }

    #[test]
    fn more_fields_than_there_can_be_are_no_panic() {
        let text = |count| (0..count).map(|n| format!("x{n}:\r\n")).collect::<String>();
        assert!(parse_fields(Bytes::from(text(40_000))).is_none());
        assert!(parse_fields(Bytes::from(text(1_000))).is_some_and(|fields| fields.len() == 1_000));
    }
}
