//! JSON-RPC responses, ready to be written.

use midge_contract::Outcome;

use crate::error::ProtocolError;
use crate::handler::result::{Failure, MethodResult, ResultObject};
use crate::protocol::Version;
use crate::protocol::jsonrpc::RequestId;
use crate::protocol::members::quoted;
use crate::protocol::meta::SERVER_INFO;
use crate::server::Server;

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
        finished: MethodResult,
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
        let (mut code, data) = (itoa::Buffer::new(), error.data());
        let pieces = [
            if id.is_some() { "{\"jsonrpc\":\"2.0\",\"id\":" } else { "{\"jsonrpc\":\"2.0\"" },
            id.map_or("", RequestId::as_json),
            ",\"error\":{\"code\":",
            code.format(i64::from(error.code())),
            ",\"message\":",
            &quoted(&error.to_string()),
            if data.is_some() { ",\"data\":" } else { "" },
            data.as_deref().unwrap_or_default(),
            "}}",
        ];
        let json = pieces.concat();
        Self { json, outcome, error: Some(error), cause: None }
    }
}

/// Writes a response by joining pieces of JSON: every result is an object, and what modern
/// clients expect in it is the same for all of them.
fn write(
    server: &Server,
    id: &RequestId,
    version: Version,
    body: &ResultObject,
) -> Result<String, serde_json::Error> {
    let members = members_of(&body.json);
    let own_meta = body.meta.as_deref().map_or("", members_of);
    let mut server_info = String::new();
    let (mut result_type, mut result_key, mut quote, mut info_key) = ("", "", "", ["", ""]);
    if version.has_result_envelope() {
        server_info = serde_json::to_string(server.identity())?;
        (result_type, result_key) = (body.result_type.as_str(), "\"resultType\":\"");
        (quote, info_key) = ("\"", [SERVER_INFO, "\":"]);
    }
    let has_meta = !server_info.is_empty() || !own_meta.is_empty();
    let before_meta = if result_type.is_empty() { members } else { result_type };
    // At once, since results may be large: each is copied once.
    let pieces = [
        "{\"jsonrpc\":\"2.0\",\"id\":",
        id.as_json(),
        ",\"result\":{",
        result_key,
        result_type,
        quote,
        comma(result_type, members),
        members,
        if has_meta { comma(before_meta, "_meta") } else { "" },
        if has_meta { "\"_meta\":{" } else { "" },
        quote,
        info_key[0],
        info_key[1],
        &server_info,
        comma(&server_info, own_meta),
        own_meta,
        if has_meta { "}}}" } else { "}}" },
    ];
    Ok(pieces.concat())
}

/// What stands between the braces of an object.
fn members_of(object: &str) -> &str {
    object.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).unwrap_or_default()
}

/// What stands between members of objects that may be missing.
fn comma(before: &str, after: &str) -> &'static str {
    if before.is_empty() || after.is_empty() { "" } else { "," }
}
