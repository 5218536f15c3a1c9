//! Outbound HTTP of guests, limited to the servers that the configuration allows.

use std::sync::Arc;

use wasmtime_wasi_http::{
    Error as HttpError, RequestOptions, WasiBody, WasiHttpHooks, default_send_request,
    p2::bindings::http::types::ErrorCode,
};

use crate::{config::OutboundRule, telemetry::access_log::ExchangeRecord};

/// Sends the outbound requests of a guest, and denies servers that are not allowed.
pub(crate) struct Outbound {
    pub(crate) allowed: Arc<[OutboundRule]>,
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
        if !self.allowed.iter().any(|rule| rule.allows(request.uri())) {
            tracing::debug!(target: "midge::outbound", uri = %request.uri(), "denied");
            tokio::spawn(drain(request.into_body()));
            return Box::new(async { Err(HttpError::HttpRequestDenied) });
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
