//! The status table: the only place that maps failures to HTTP statuses.

use std::borrow::Cow;

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
    /// A `Content-Encoding` that would have to be undone.
    UnsupportedEncoding,
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
            Self::UnsupportedMediaType | Self::UnsupportedEncoding => {
                StatusCode::UNSUPPORTED_MEDIA_TYPE
            }
            Self::NotAcceptable => StatusCode::NOT_ACCEPTABLE,
            Self::BodyTooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::BodyIncomplete => StatusCode::BAD_REQUEST,
        }
    }

    /// What the client is told; nothing where a JSON-RPC body would be mistaken for an answer.
    fn message(self) -> Option<Cow<'static, str>> {
        Some(match self {
            // A 404 with a JSON-RPC body means an unknown method.
            Self::UnknownPath | Self::MethodNotAllowed => return None,
            Self::ForbiddenOrigin => "this Origin may not call this server".into(),
            Self::HeadersTooLarge => "the headers are too large".into(),
            Self::UnsupportedMediaType => "Content-Type must be application/json".into(),
            Self::UnsupportedEncoding => "Content-Encoding must be identity".into(),
            Self::NotAcceptable => "Accept must allow application/json or text/event-stream".into(),
            Self::BodyTooLarge { limit } => format!("the body has more than {limit} bytes").into(),
            Self::BodyIncomplete => "the body ended too soon".into(),
        })
    }

    pub(crate) fn into_reply(self) -> Reply {
        let reply = match self.message() {
            None => Reply::empty(self.status(), Outcome::Rejected),
            Some(message) => {
                let error = ProtocolError::InvalidRequest(message);
                Reply::json(self.status(), Response::error(None, error).json, Outcome::Rejected)
            }
        };
        match self {
            Self::MethodNotAllowed => reply.with("allow", "POST"),
            Self::UnsupportedEncoding => reply.with("accept-encoding", "identity"),
            _ => reply,
        }
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
