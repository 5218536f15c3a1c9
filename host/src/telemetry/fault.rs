//! Faults: the responses of the host in place of those of a guest.

use std::borrow::Cow;

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, Version, header};
use serde_json::Value;

use midge_contract::Outcome;

/// Why the host responds to an exchange itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The request names no host, or several.
    NoHost,
    /// The request names what is no host.
    InvalidHost(String),
    /// The request is for another protocol than HTTP.
    SchemeNotServed(String),
    /// The request names a host that this server does not accept.
    HostNotAllowed(String),
    /// The request body is over the limit.
    BodyTooLarge,
    /// The request body did not arrive in time.
    BodyStalled,
    /// The request body was truncated.
    BodyTruncated,
    /// A limit of what clients or guests may hold together is reached. Has the cause for the access log.
    Overloaded(&'static str),
    /// The guest exited without a response.
    NoResponse,
    /// The guest returned an error code of `wasi:http`.
    ErrorCode(String),
    /// The guest trapped after it was refused memory.
    OutOfMemory,
    /// The guest trapped.
    Trapped(String),
    /// The exchange timed out.
    TimedOut,
}

impl Fault {
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::NoHost
            | Self::InvalidHost(_)
            | Self::SchemeNotServed(_)
            | Self::BodyTruncated => StatusCode::BAD_REQUEST,
            Self::HostNotAllowed(_) => StatusCode::FORBIDDEN,
            Self::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::BodyStalled => StatusCode::REQUEST_TIMEOUT,
            Self::Overloaded(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::NoResponse | Self::ErrorCode(_) | Self::OutOfMemory | Self::Trapped(_) => {
                StatusCode::BAD_GATEWAY
            }
            Self::TimedOut => StatusCode::GATEWAY_TIMEOUT,
        }
    }

    pub(crate) fn outcome(&self) -> Outcome {
        match self {
            Self::NoHost
            | Self::InvalidHost(_)
            | Self::SchemeNotServed(_)
            | Self::HostNotAllowed(_)
            | Self::BodyTooLarge
            | Self::BodyStalled => Outcome::Rejected,
            Self::BodyTruncated => Outcome::ClientGone,
            Self::Overloaded(_) => Outcome::Overloaded,
            Self::NoResponse | Self::ErrorCode(_) | Self::OutOfMemory | Self::Trapped(_) => {
                Outcome::Trapped
            }
            Self::TimedOut => Outcome::TimedOut,
        }
    }

    /// Returns the code of the JSON-RPC error: invalid request, or internal error.
    fn code(&self) -> i32 {
        if self.status().is_client_error() { -32600 } else { -32603 }
    }

    /// Returns the message for the client. It reveals nothing of the guest.
    fn message(&self) -> Cow<'static, str> {
        let message = match self {
            Self::InvalidHost(host) => return format!("`{host}` is no valid host").into(),
            Self::SchemeNotServed(scheme) => {
                return format!("`{scheme}:` is not served here").into();
            }
            Self::HostNotAllowed(host) => {
                return format!("the host name `{host}` is not served here").into();
            }
            Self::NoHost => "the request names no host, or several",
            Self::BodyTooLarge => "the request body is too large",
            Self::BodyStalled => "the request body did not arrive in time",
            Self::BodyTruncated => "the request body was cut short",
            Self::Overloaded(_) => "the server is busy, try again",
            Self::NoResponse => "the server did not respond",
            Self::ErrorCode(_) | Self::Trapped(_) => "the server failed",
            Self::OutOfMemory => "the server ran out of memory",
            Self::TimedOut => "the server did not respond in time",
        };
        message.into()
    }

    /// Returns the cause for the access log.
    pub(crate) fn cause(&self) -> String {
        match self {
            Self::ErrorCode(code) => format!("the guest returned {code}"),
            Self::Trapped(cause) => cause.clone(),
            Self::Overloaded(cause) => (*cause).to_owned(),
            Self::NoResponse => "the guest returned without a response".to_owned(),
            Self::HostNotAllowed(host) => {
                format!("the host name `{host}` is not allowed; `--allow-host {host}` allows it")
            }
            other => other.message().into_owned(),
        }
    }

    /// Builds the response. It has no JSON-RPC id, since the host does not read messages.
    pub(crate) fn response(&self, version: Version) -> Response<Bytes> {
        let (code, message) = (self.code(), Value::from(self.message()));
        let body = format!(r#"{{"jsonrpc":"2.0","error":{{"code":{code},"message":{message}}}}}"#);
        let mut response = Response::new(Bytes::from(body));
        *response.status_mut() = self.status();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        // Any page may read it: it has no data of the guest, and the wildcard excludes credentials.
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        match self {
            Self::Overloaded(_) => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
            }
            // The rest of the body is not read, so the connection cannot be used again.
            Self::BodyTooLarge | Self::BodyStalled | Self::BodyTruncated
                if version < Version::HTTP_2 =>
            {
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
    fn the_error_code_tells_client_from_server_faults() {
        for (fault, code) in [
            (Fault::NoHost, -32600),
            (Fault::InvalidHost("a\"b".to_owned()), -32600),
            (Fault::HostNotAllowed("a\\b".to_owned()), -32600),
            (Fault::BodyTooLarge, -32600),
            (Fault::BodyStalled, -32600),
            (Fault::BodyTruncated, -32600),
            (Fault::Overloaded("full"), -32603),
            (Fault::NoResponse, -32603),
            (Fault::OutOfMemory, -32603),
            (Fault::TimedOut, -32603),
        ] {
            let body = fault.response(Version::HTTP_11).into_body();
            let json: Option<serde_json::Value> = serde_json::from_slice(&body).ok();
            assert_eq!(json.map(|json| json["error"]["code"] == code), Some(true), "{fault:?}");
        }
    }

    #[test]
    fn a_browser_may_show_every_fault() {
        for fault in
            [Fault::NoHost, Fault::BodyTooLarge, Fault::Overloaded("full"), Fault::TimedOut]
        {
            let response = fault.response(Version::HTTP_2);
            let origin = response.headers().get(header::ACCESS_CONTROL_ALLOW_ORIGIN);
            assert_eq!(origin, Some(&HeaderValue::from_static("*")), "{fault:?}");
        }
    }

    #[test]
    fn a_refused_host_name_is_named_and_the_log_says_how_to_allow_it() {
        let fault = Fault::HostNotAllowed("mcp.example".to_owned());
        assert!(fault.message().contains("mcp.example") && !fault.message().contains("--"));
        assert!(fault.cause().contains("`--allow-host mcp.example`"), "{}", fault.cause());
    }
}
