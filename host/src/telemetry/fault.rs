//! The answers the host gives in place of a guest.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, Version, header};

use crate::contract::Outcome;

/// Why the host answers an exchange itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The request does not say which host it is for.
    NoHost,
    /// The request is for a host that is not served here.
    HostNotAllowed,
    /// The request body is over the limit.
    BodyTooLarge,
    /// The request body stopped coming.
    BodyStalled,
    /// The request body ended before its end, and the guest had nothing to say to that.
    BodyCut,
    /// Every permit is taken.
    Overloaded,
    /// The guest ended without an answer.
    NoAnswer,
    /// The guest answered with an error code of `wasi:http`.
    ErrorCode(String),
    /// The guest trapped when it was refused more memory.
    OutOfMemory,
    /// The guest trapped.
    Trapped(String),
    /// The guest was cut by the limit of time.
    TimedOut,
}

impl Fault {
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::NoHost | Self::BodyCut => StatusCode::BAD_REQUEST,
            Self::HostNotAllowed => StatusCode::FORBIDDEN,
            Self::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::BodyStalled => StatusCode::REQUEST_TIMEOUT,
            Self::Overloaded => StatusCode::SERVICE_UNAVAILABLE,
            Self::NoAnswer | Self::ErrorCode(_) | Self::OutOfMemory | Self::Trapped(_) => {
                StatusCode::BAD_GATEWAY
            }
            Self::TimedOut => StatusCode::GATEWAY_TIMEOUT,
        }
    }

    pub(crate) fn outcome(&self) -> Outcome {
        match self {
            Self::NoHost | Self::HostNotAllowed | Self::BodyTooLarge | Self::BodyStalled => {
                Outcome::Rejected
            }
            Self::BodyCut => Outcome::ClientGone,
            Self::Overloaded => Outcome::Overloaded,
            Self::NoAnswer | Self::ErrorCode(_) | Self::OutOfMemory | Self::Trapped(_) => {
                Outcome::Trapped
            }
            Self::TimedOut => Outcome::TimedOut,
        }
    }

    /// The code of the JSON-RPC error: an invalid request, or an internal error.
    fn code(&self) -> i32 {
        if self.status().is_client_error() { -32600 } else { -32603 }
    }

    /// What the client is told: nothing of the guest's inside, and nothing JSON would escape.
    fn message(&self) -> &'static str {
        match self {
            Self::NoHost => "the request names no valid host",
            Self::HostNotAllowed => "this host name is not served here",
            Self::BodyTooLarge => "the request body is too large",
            Self::BodyStalled => "the request body did not arrive in time",
            Self::BodyCut => "the request body was cut short",
            Self::Overloaded => "the server is busy, try again",
            Self::NoAnswer => "the server gave no answer",
            Self::ErrorCode(_) | Self::Trapped(_) => "the server failed",
            Self::OutOfMemory => "the server ran out of memory",
            Self::TimedOut => "the server did not answer in time",
        }
    }

    /// What the log is told.
    pub(crate) fn cause(&self) -> String {
        match self {
            Self::ErrorCode(code) => format!("the guest answered with {code}"),
            Self::Trapped(cause) => cause.clone(),
            Self::NoAnswer => "the guest returned without an answer".to_owned(),
            other => other.message().to_owned(),
        }
    }

    /// The answer. It has no JSON-RPC id: the host does not read what it carries.
    pub(crate) fn response(&self, version: Version) -> Response<Bytes> {
        let (code, message) = (self.code(), self.message());
        let body =
            format!(r#"{{"jsonrpc":"2.0","error":{{"code":{code},"message":"{message}"}}}}"#);
        let mut response = Response::new(Bytes::from(body));
        *response.status_mut() = self.status();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        match self {
            Self::Overloaded => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
            }
            // The rest of the body is not wanted, so the connection is of no more use.
            Self::BodyTooLarge | Self::BodyStalled | Self::BodyCut if version < Version::HTTP_2 => {
                headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
            _ => {}
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_says_whose_fault_it_is() {
        for (fault, code) in [
            (Fault::NoHost, -32600),
            (Fault::HostNotAllowed, -32600),
            (Fault::BodyTooLarge, -32600),
            (Fault::BodyStalled, -32600),
            (Fault::BodyCut, -32600),
            (Fault::Overloaded, -32603),
            (Fault::NoAnswer, -32603),
            (Fault::OutOfMemory, -32603),
            (Fault::TimedOut, -32603),
        ] {
            let body = fault.response(Version::HTTP_11).into_body();
            let json: Option<serde_json::Value> = serde_json::from_slice(&body).ok();
            assert_eq!(json.map(|json| json["error"]["code"] == code), Some(true), "{fault:?}");
        }
    }
}
