//! Buffered requests and responses.
//!
//! The host receives a request whole before it calls a guest, so no instance waits for a slow client.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, header, request};
use http_body::{Body, Frame, SizeHint};
use midge_contract::http1;
use wasmtime::component::{ComponentType, Lift};
use wasmtime_wasi_http::{DEFAULT_FORBIDDEN_HEADERS, Error as HttpError};

use super::{admission::BodyShare, limits::MAX_FIELDS};
use crate::telemetry::fault::Fault;

/// A request that has arrived whole.
pub(crate) struct BufferedRequest {
    pub(crate) parts: request::Parts,
    pub(crate) body: BufferedBody,
}

/// The body of a request, and its share of what the host may hold.
pub(crate) struct BufferedBody {
    bytes: Bytes,
    share: Option<BodyShare>,
}

/// A response in the form of `midge:mcp/exchange`.
#[derive(ComponentType, Lift)]
#[component(record)]
pub(crate) struct RawResponse {
    pub(crate) status: u16,
    pub(crate) fields: Vec<u8>,
    pub(crate) body: Vec<u8>,
}

impl BufferedRequest {
    /// Returns the request as `wasi:http` takes it.
    pub(super) fn into_http(self) -> Request<BufferedBody> {
        Request::from_parts(self.parts, self.body)
    }

    /// Encodes the head in the form of `midge:mcp/exchange`, without the fields that concern only client
    /// and host.
    pub(super) fn head_lines(&self) -> Vec<u8> {
        let Self { parts, .. } = self;
        let mut text = Vec::with_capacity(1024);
        let target = parts.uri.path_and_query().map_or("/", |target| target.as_str());
        http1::encode_request_line(&mut text, parts.method.as_str(), target);
        let authority = parts.uri.authority().map(|authority| authority.as_str().as_bytes());
        let host = authority.or_else(|| Some(parts.headers.get(header::HOST)?.as_bytes()));
        if let Some(host) = host {
            http1::encode_field(&mut text, header::HOST.as_str(), host);
        }
        let is_guests = |name: &HeaderName| !DEFAULT_FORBIDDEN_HEADERS.contains(name);
        for (name, value) in parts.headers.iter().filter(|(name, _)| is_guests(name)) {
            http1::encode_field(&mut text, name.as_str(), value.as_bytes());
        }
        text
    }
}

impl BufferedBody {
    pub(crate) fn new(bytes: Bytes, share: BodyShare) -> Self {
        Self { bytes, share: Some(share) }
    }

    pub(super) fn bytes(&self) -> &Bytes {
        &self.bytes
    }
}

impl Body for BufferedBody {
    type Data = Bytes;
    type Error = HttpError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, HttpError>>> {
        // From here on the bytes are the guest's.
        self.share = None;
        let bytes = std::mem::take(&mut self.bytes);
        Poll::Ready((!bytes.is_empty()).then_some(Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.bytes.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.bytes.len() as u64)
    }
}

impl RawResponse {
    /// Parses status and fields.
    pub(crate) fn parse(self) -> Result<Response<Bytes>, Fault> {
        let Self { status, fields, body } = self;
        let refuse = |what: &str| Fault::ErrorCode(format!("an invalid {what}"));
        let status = StatusCode::from_u16(status).ok().filter(|status| !status.is_informational());
        let mut response = Response::new(Bytes::from(body));
        *response.status_mut() = status.ok_or_else(|| refuse("status"))?;
        *response.headers_mut() =
            parse_fields(fields.into()).ok_or_else(|| refuse("header field"))?;
        Ok(response)
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

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_encoded_without_what_concerns_only_client_and_host() {
        let request = Request::post("http://midge.example/mcp?x=1")
            .header("Host", "other.example")
            .header("Connection", "keep-alive")
            .header("Mcp-Name", "greet");
        let (parts, ()) = request.body(()).unwrap().into_parts();
        let body = BufferedBody { bytes: Bytes::from_static(b"{}"), share: None };
        let head = BufferedRequest { parts, body }.head_lines();
        let expected = "POST /mcp?x=1 HTTP/1.1\r\nhost: midge.example\r\nmcp-name: greet\r\n";
        assert_eq!(String::from_utf8(head).unwrap(), expected);
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
