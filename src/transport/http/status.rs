//! The status table: the only place that maps failures to HTTP statuses.

use http::StatusCode;
use midge_contract::Outcome;

use super::reply::Reply;
use crate::error::ProtocolError;
use crate::rpc::response::Response;

/// Why a request is refused before its body is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Another path than the endpoint's.
    UnknownPath,
    /// Another method than POST.
    MethodNotAllowed,
    /// A page that may not call this server.
    ForbiddenOrigin,
    /// More bytes of headers than the limit.
    HeadersTooLarge,
    /// A `Content-Type` that is not JSON.
    UnsupportedMediaType,
    /// An `Accept` that allows neither JSON nor a stream of events.
    NotAcceptable,
    /// More bytes of body than the limit.
    BodyTooLarge { limit: usize },
    /// The body ended too soon.
    BodyIncomplete,
}

impl Refusal {
    fn status(self) -> StatusCode {
        match self {
            Self::UnknownPath => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::ForbiddenOrigin => StatusCode::FORBIDDEN,
            Self::HeadersTooLarge => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Self::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::NotAcceptable => StatusCode::NOT_ACCEPTABLE,
            Self::BodyTooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::BodyIncomplete => StatusCode::BAD_REQUEST,
        }
    }

    /// What the client is told; nothing where a JSON-RPC body would be mistaken for an answer.
    fn message(self) -> Option<String> {
        match self {
            // A 404 with a JSON-RPC body means an unknown method.
            Self::UnknownPath | Self::MethodNotAllowed => None,
            Self::ForbiddenOrigin => Some("this Origin may not call this server".to_owned()),
            Self::HeadersTooLarge => Some("the headers are too large".to_owned()),
            Self::UnsupportedMediaType => Some("Content-Type must be application/json".to_owned()),
            Self::NotAcceptable => {
                Some("Accept must allow application/json or text/event-stream".to_owned())
            }
            Self::BodyTooLarge { limit } => Some(format!("the body has more than {limit} bytes")),
            Self::BodyIncomplete => Some("the body ended too soon".to_owned()),
        }
    }

    pub(crate) fn into_reply(self) -> Reply {
        let Some(message) = self.message() else {
            let reply = Reply::empty(self.status(), Outcome::Rejected);
            return match self {
                Self::MethodNotAllowed => reply.with("allow", "POST"),
                _ => reply,
            };
        };
        let body = Response::error(None, ProtocolError::InvalidRequest(message.into())).json;
        Reply::json(self.status(), body, Outcome::Rejected)
    }
}

/// The status of a JSON-RPC error that is known before the answer starts.
pub(crate) fn of_error(error: &ProtocolError, modern: bool) -> StatusCode {
    match error {
        ProtocolError::Parse(_)
        | ProtocolError::InvalidRequest(_)
        | ProtocolError::InvalidMeta(_)
        | ProtocolError::HeaderMismatch(_)
        | ProtocolError::MissingClientCapability(_)
        | ProtocolError::UnsupportedVersion { .. } => StatusCode::BAD_REQUEST,
        ProtocolError::MethodNotFound(_) if modern => StatusCode::NOT_FOUND,
        // Legacy clients take a 404 for the loss of a session.
        ProtocolError::MethodNotFound(_)
        | ProtocolError::InvalidParams(_)
        | ProtocolError::UnknownTool(_)
        | ProtocolError::ResourceNotFound { .. }
        | ProtocolError::NeedsModernClient => StatusCode::OK,
        ProtocolError::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        ProtocolError::Busy => StatusCode::SERVICE_UNAVAILABLE,
        ProtocolError::TimedOut => StatusCode::GATEWAY_TIMEOUT,
    }
}

/// The reply to a message that is answered as a whole.
pub(crate) fn reply_to(response: Response, modern: bool) -> Reply {
    let status = response.error.as_ref().map_or(StatusCode::OK, |error| of_error(error, modern));
    Reply { cause: response.cause, ..Reply::json(status, response.json, response.outcome) }
}

/// The reply to a notification.
pub(crate) fn accepted() -> Reply {
    Reply::empty(StatusCode::ACCEPTED, Outcome::Ok)
}
