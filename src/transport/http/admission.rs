//! Checks of a request head, before the body is read.

use super::accept::Accepts;
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
    let preflight = origin::is_preflight(request, &settings.cors);
    let checked = origin::check(request, settings);
    // A refusal that comes before that of the origin: to pages that may not read it, it looks like a
    // network error.
    let (origin, refusal) = match (check_target(request, settings, preflight), checked) {
        (Err(refusal), checked) => (checked.ok().flatten(), Some(refusal)),
        (Ok(()), Ok(origin)) => (origin, None),
        (Ok(()), Err(cause)) => {
            return Err((Reply { cause, ..Refusal::ForbiddenOrigin.into_reply() }, None));
        }
    };
    let origin = origin.filter(|_| settings.cors.enabled);
    let refusal = match refusal {
        None if preflight => return Err((origin::preflight(request, &settings.cors), origin)),
        None => match check_entity(request, settings) {
            Ok(accepts) => return Ok(Admitted { accepts, origin }),
            Err(refusal) => refusal,
        },
        Some(refusal) => refusal,
    };
    Err((refusal.into_reply(), origin))
}

/// Checks what the request is for.
fn check_target(
    request: &RequestHead,
    settings: &Settings,
    preflight: bool,
) -> Result<(), Refusal> {
    if !is_endpoint(&request.path, &settings.endpoint) {
        return Err(Refusal::UnknownPath);
    }
    if request.method != Method::Post && !preflight {
        return Err(Refusal::MethodNotAllowed);
    }
    Ok(())
}

/// Whether a path is the endpoint's. Some clients end it with a slash.
fn is_endpoint(path: &str, endpoint: &str) -> bool {
    let bare = |path| str::strip_suffix(path, "/").unwrap_or(path);
    bare(path) == bare(endpoint)
}

/// What a body must be, by the headers that say so.
const ENTITY: [(&str, Refusal); 2] = [
    ("content-type", Refusal::UnsupportedMediaType),
    ("content-encoding", Refusal::UnsupportedEncoding),
];

fn check_entity(request: &RequestHead, settings: &Settings) -> Result<Accepts, Refusal> {
    let headers = &request.headers;
    if headers.size() > settings.max_header_bytes {
        return Err(Refusal::HeadersTooLarge);
    }
    for (name, refusal) in ENTITY {
        let fits = |value: &[u8]| match refusal {
            Refusal::UnsupportedEncoding => value.eq_ignore_ascii_case(b"identity"),
            _ => is_json(value),
        };
        if !headers.values(name).all(fits) {
            return Err(refusal);
        }
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

/// Whether a `Content-Type` is JSON, whatever its parameters and copies that are joined by commas.
fn is_json(value: &[u8]) -> bool {
    if value == b"application/json" {
        return true;
    }
    let essence = value.split(|byte| matches!(byte, b';' | b',')).next().unwrap_or_default();
    essence.trim_ascii().eq_ignore_ascii_case(b"application/json")
}
