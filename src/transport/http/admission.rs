//! Checks of a request head, before the body is read.

use super::accept::{Accepts, accepts_text};
use super::head::{Method, RequestHead};
use super::origin;
use super::reply::Reply;
use super::status::Refusal;
use crate::server::settings::Settings;

/// What the head of a request allows.
#[derive(Debug)]
pub(crate) struct Admitted {
    pub(crate) accepts: Accepts,
    /// The origin to tell a browser of.
    pub(crate) origin: Option<String>,
}

/// Checks the head, in the order of the status table.
///
/// A reply is an answer that needs no body; with it comes the origin that may read it.
#[allow(clippy::result_large_err, reason = "once in an exchange, and taken apart at once")]
pub(crate) fn check(
    request: &RequestHead,
    settings: &Settings,
) -> Result<Admitted, (Reply, Option<String>)> {
    // First, since a page that may read no refusal sees a network error. Its own comes after others.
    let (origin, forbidden) = match origin::check(request, settings) {
        Ok(origin) => (origin.filter(|_| settings.cors.enabled), None),
        Err(reply) => (None, Some(reply)),
    };
    if !is_endpoint(&request.path, &settings.endpoint) {
        return Err((unknown_path(request, &settings.endpoint), origin));
    }
    let preflight = origin::is_preflight(request, &settings.cors);
    if request.method != Method::Post && !preflight {
        return Err((Refusal::MethodNotAllowed.into_reply(), origin));
    }
    if let Some(reply) = forbidden {
        return Err((reply, None));
    }
    if preflight {
        return Err((origin::preflight(request, &settings.cors), origin));
    }
    match check_entity(request, settings) {
        Ok(accepts) => Ok(Admitted { accepts, origin }),
        Err(refusal) => Err((refusal.into_reply(), origin)),
    }
}

/// Whether a path is the endpoint's. Some clients end it with a slash.
fn is_endpoint(path: &str, endpoint: &str) -> bool {
    let bare = |path| str::strip_suffix(path, "/").unwrap_or(path);
    path == endpoint || bare(path) == bare(endpoint)
}

fn unknown_path(request: &RequestHead, endpoint: &str) -> Reply {
    let reply = Refusal::UnknownPath.into_reply();
    let reason = Some(["the endpoint is ", endpoint, ", not ", &request.path].concat());
    match accepts_text(&request.headers) {
        true => Reply {
            reason,
            body: ["The MCP endpoint of this server is ", endpoint, "\n"].concat(),
            ..reply.with("content-type", "text/plain")
        },
        false => Reply { reason, ..reply },
    }
}

fn check_entity(request: &RequestHead, settings: &Settings) -> Result<Accepts, Refusal> {
    let headers = &request.headers;
    if headers.size() > settings.max_header_bytes {
        return Err(Refusal::HeadersTooLarge);
    }
    if headers.values("content-type").any(|value| !is_json(value)) {
        return Err(Refusal::UnsupportedMediaType);
    }
    if headers.values("content-encoding").any(|value| !is_identity(value)) {
        return Err(Refusal::UnsupportedEncoding);
    }
    let accepts = Accepts::from_headers(headers);
    if !accepts.json && !accepts.events {
        return Err(Refusal::NotAcceptable);
    }
    let length = headers.texts("content-length").next();
    let length = length.and_then(|length| length.parse::<u64>().ok());
    if length.is_some_and(|length| length > settings.max_body as u64) {
        return Err(Refusal::BodyTooLarge { limit: settings.max_body });
    }
    Ok(accepts)
}

/// Whether a `Content-Type` is JSON, whatever its parameters. Copies that are joined by commas must
/// be JSON, too; what has no slash is none, but may be a part of a parameter.
fn is_json(value: &[u8]) -> bool {
    if value == b"application/json" {
        return true;
    }
    let copies = value.split(|byte| *byte == b',');
    let mut types = copies.map(|copy| copy.split(|byte| *byte == b';').next().unwrap_or_default());
    let is_json = |kind: &[u8]| kind.trim_ascii().eq_ignore_ascii_case(b"application/json");
    types.next().is_some_and(is_json) && types.all(|other| !other.contains(&b'/') || is_json(other))
}

/// Whether the codings of a body leave it as it is.
fn is_identity(value: &[u8]) -> bool {
    let mut codings = value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
    codings.all(|coding| coding.is_empty() || coding.eq_ignore_ascii_case(b"identity"))
}
