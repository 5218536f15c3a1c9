//! Outbound HTTP of guests, limited to the servers that the configuration allows.

use std::sync::Arc;

use http::Uri;
use wasmtime_wasi_http::{
    Error as HttpError, RequestOptions, WasiBody, WasiHttpHooks, default_send_request,
    p2::bindings::http::types::ErrorCode,
};

use crate::{config::HostRule, telemetry::access_log::ExchangeRecord};

/// Sends the outbound requests of a guest, and denies servers that are not allowed.
pub(crate) struct Outbound {
    pub(crate) allowed: Arc<[HostRule]>,
    pub(crate) record: Arc<ExchangeRecord>,
}

/// Sends a request. Its connection is closed when the client of the exchange disconnects.
async fn send(
    request: http::Request<WasiBody>,
    options: Option<RequestOptions>,
    record: Arc<ExchangeRecord>,
    began_after: bool,
) -> Result<Sent, HttpError> {
    let mut cancelled =
        Box::pin(async move { record.cancellation().outbound_cancelled(began_after).await });
    let (response, io) = tokio::select! {
        biased;
        () = cancelled.as_mut() => return Err(HttpError::ConnectionTerminated),
        sent = default_send_request(request, options) => sent?,
    };
    let io = async move {
        tokio::select! {
            biased;
            () = cancelled => Ok(()),
            result = io => result,
        }
    };
    Ok((response.map(http_body_util::BodyExt::boxed_unsync), Box::new(io)))
}

impl Outbound {
    /// Checks that a request is for a server that is allowed.
    fn check(&self, uri: &Uri) -> Result<(), HttpError> {
        let (Some(host), Some(authority)) = (uri.host(), uri.authority()) else {
            return Err(HttpError::HttpRequestUriInvalid);
        };
        // The resolver would get it as a part of the name.
        if authority.as_str().contains('@') {
            return Err(HttpError::HttpRequestUriInvalid);
        }
        // As where the connection is made: everything but `https` is plain text.
        let default_port = if uri.scheme_str() == Some("https") { 443 } else { 80 };
        let port = uri.port_u16().unwrap_or(default_port);
        let is_allowed = self.allowed.iter().any(|rule| rule.matches(host, &[port]));
        if is_allowed { Ok(()) } else { Err(HttpError::HttpRequestDenied) }
    }
}

/// Reads the body of a denied request: a guest that finds it closed would take the denial for a broken
/// connection. Ends when the guest stops writing, at the latest with its store.
async fn drain(mut body: WasiBody) {
    while let Some(Ok(_)) = http_body_util::BodyExt::frame(&mut body).await {}
}

/// A response, and the future that drives its connection.
type Sent = (http::Response<WasiBody>, Box<dyn Future<Output = Result<(), HttpError>> + Send>);
type SendFuture = Box<dyn Future<Output = Result<Sent, HttpError>> + Send>;

impl WasiHttpHooks for Outbound {
    fn send_request(
        &mut self,
        request: http::Request<WasiBody>,
        options: Option<RequestOptions>,
        _: Box<dyn Future<Output = Result<(), HttpError>> + Send>,
    ) -> SendFuture {
        if let Err(error) = self.check(request.uri()) {
            let host = request.uri().host().unwrap_or_default();
            tracing::debug!(target: "midge::outbound", host, %error, "denied");
            tokio::spawn(drain(request.into_body()));
            return Box::new(async { Err(error) });
        }
        let cancellation = self.record.cancellation();
        if cancellation.is_unnoticed() {
            return Box::new(async { Err(HttpError::ConnectionTerminated) });
        }
        Box::new(send(request, options, Arc::clone(&self.record), cancellation.is_disconnected()))
    }

    // The defaults of these three log a warning each. The guest handles failures of its peers.
    fn p2_error_from_hyper(&mut self, error: &hyper::Error) -> ErrorCode {
        tracing::debug!(target: "midge::outbound", %error, "http");
        ErrorCode::HttpProtocolError
    }

    fn p2_error_from_connect(&mut self, error: &std::io::Error) -> ErrorCode {
        tracing::debug!(target: "midge::outbound", %error, "connect");
        ErrorCode::ConnectionRefused
    }

    fn p2_error_from_tls(&mut self, error: &std::io::Error) -> ErrorCode {
        tracing::debug!(target: "midge::outbound", %error, "tls");
        ErrorCode::TlsProtocolError
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    /// Returns why a request to `uri` is denied.
    fn denied(rule: &str, uri: &str) -> Option<String> {
        let allowed = Arc::new([rule.parse().unwrap()]);
        let outbound = Outbound { allowed, record: ExchangeRecord::for_test() };
        outbound.check(&uri.parse().unwrap()).err().map(|error| error.to_string())
    }

    #[test]
    fn a_port_is_that_of_the_scheme_unless_it_is_named() {
        assert_eq!(denied("example.com:443", "https://example.com/"), None);
        assert_eq!(denied("example.com:80", "http://EXAMPLE.com/"), None);
        assert_eq!(denied("[::1]:9000", "http://[::1]:9000/"), None);
        let reason = Some(HttpError::HttpRequestDenied.to_string());
        assert_eq!(denied("example.com:443", "http://example.com/"), reason);
        assert_eq!(denied("example.com", "https://example.com.evil.net/"), reason);
    }

    #[test]
    fn user_information_is_refused_before_the_name_is_resolved() {
        let reason = Some(HttpError::HttpRequestUriInvalid.to_string());
        for uri in ["https://good.com@evil.com/", "http://u:p@good.com/", "http://@good.com/"] {
            assert_eq!(denied("*", uri), reason, "{uri}");
        }
    }
}
