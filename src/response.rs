//! JSON-RPC responses, ready to be written.

use crate::answer::{Body, Failure, Finished};
use crate::error::ProtocolError;
use crate::outcome::Outcome;
use crate::protocol::Version;
use crate::protocol::jsonrpc::{ErrorResponse, RequestId};
use crate::protocol::meta::SERVER_INFO;
use crate::server::Server;

/// Room for what stands around a result, in bytes: most servers say no more of themselves.
const ENVELOPE: usize = 256;

/// One response.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) json: String,
    pub(crate) outcome: Outcome,
    /// The error in `json`, which may decide the HTTP status.
    pub(crate) error: Option<ProtocolError>,
    /// What the log should know and the client should not.
    pub(crate) cause: Option<String>,
}

impl Response {
    /// The response to a request, with what a client of `version` expects around its result.
    pub(crate) fn new(
        server: &Server,
        id: &RequestId,
        version: Version,
        finished: Finished,
    ) -> Self {
        let written = finished.and_then(|body| {
            let json = write(server, id, version, &body).map_err(Failure::internal)?;
            Ok(Self { json, outcome: body.outcome, error: None, cause: None })
        });
        written.unwrap_or_else(|failure| Self::failure(id, failure))
    }

    pub(crate) fn failure(id: &RequestId, Failure { error, cause }: Failure) -> Self {
        Self { cause, ..Self::error(Some(id), error) }
    }

    pub(crate) fn error(id: Option<&RequestId>, error: ProtocolError) -> Self {
        let outcome = match error {
            ProtocolError::TimedOut => Outcome::TimedOut,
            _ => Outcome::ProtocolError,
        };
        let response = ErrorResponse::new(id, error.to_object());
        // Strings, numbers and maps of them: writing them cannot fail.
        let json = serde_json::to_string(&response).unwrap_or_default();
        Self { json, outcome, error: Some(error), cause: None }
    }
}

/// Writes a response by joining pieces of JSON: every result is an object, and what modern
/// clients expect in it is the same for all of them.
fn write(
    server: &Server,
    id: &RequestId,
    version: Version,
    body: &Body,
) -> Result<String, serde_json::Error> {
    let members = members_of(&body.json);
    let own_meta = body.meta.as_deref().map_or("", members_of);
    // Results may be large: each is copied once.
    let mut json = String::with_capacity(members.len() + own_meta.len() + ENVELOPE);
    let mut add = |pieces: &[&str]| pieces.iter().for_each(|piece| json.push_str(piece));
    add(&["{\"jsonrpc\":\"2.0\",\"id\":", &serde_json::to_string(id)?, ",\"result\":{"]);
    let has_envelope = version.has_result_envelope();
    if has_envelope {
        let result_type = body.result_type.as_str();
        add(&["\"resultType\":\"", result_type, "\"", comma_before(members)]);
    }
    add(&[members]);
    if has_envelope || !own_meta.is_empty() {
        let is_first = members.is_empty() && !has_envelope;
        add(&[if is_first { "" } else { "," }, "\"_meta\":{"]);
        if has_envelope {
            let identity = serde_json::to_string(server.identity())?;
            add(&["\"", SERVER_INFO, "\":", &identity, comma_before(own_meta)]);
        }
        add(&[own_meta, "}"]);
    }
    add(&["}}"]);
    Ok(json)
}

/// What stands between the braces of an object.
fn members_of(object: &str) -> &str {
    object.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).unwrap_or_default()
}

/// What stands before members that may be missing, behind others.
fn comma_before(members: &str) -> &'static str {
    if members.is_empty() { "" } else { "," }
}
