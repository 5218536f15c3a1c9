//! The server under test, and the check that must succeed after each case.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use http::StatusCode;
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use crate::{
    client::{
        check_error::{CheckError, within},
        dialect::{Dialect, Request},
        endpoint::Endpoint,
        http1::{self, Response},
        http2,
        printable::printable,
    },
    slow_tool::SlowTool,
    tool_monitor::ToolMonitor,
};

/// Server under test.
#[derive(Debug)]
pub(crate) struct TestTarget {
    pub(crate) endpoint: Endpoint,
    pub(crate) dialect: Dialect,
    /// Name and version that the server reports.
    pub(crate) server: Option<String>,
    pub(crate) check: Check,
    pub(crate) slow_tool: Option<SlowTool>,
    /// Whether the server speaks HTTP/2 without TLS, once a case has tried it.
    pub(crate) speaks_http2: OnceCell<bool>,
    pub(crate) ids: AtomicU64,
}

/// Request that the server answers quickly and always with the same kind of result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Check {
    ListTools,
    Discover,
    Ping,
}

impl Check {
    pub(crate) fn method(self) -> &'static str {
        match self {
            Self::ListTools => "tools/list",
            Self::Discover => "server/discover",
            Self::Ping => "ping",
        }
    }

    fn accepts(self, result: &Value) -> bool {
        match self {
            Self::ListTools => result["tools"].is_array(),
            Self::Discover => result["supportedVersions"].is_array(),
            Self::Ping => result.is_object(),
        }
    }

    /// Returns the result in the response to this check, if the check succeeded.
    pub(crate) fn result(self, response: &Response, id: &Value) -> Result<Value, CheckError> {
        let result = result(response, id)?;
        if self.accepts(&result) { Ok(result) } else { Err(CheckError::WrongResult(self.method())) }
    }
}

/// Returns the JSON-RPC result in the response to the request with this id.
pub(crate) fn result(response: &Response, id: &Value) -> Result<Value, CheckError> {
    let message = &response.message;
    if let Some(code) = message["error"]["code"].as_i64() {
        let message = printable(message["error"]["message"].as_str().unwrap_or_default());
        return Err(CheckError::JsonRpc { code, message });
    }
    match response.status {
        StatusCode::OK if message["id"] != *id => Err(CheckError::WrongId),
        StatusCode::OK => Ok(message["result"].clone()),
        status => Err(CheckError::Status(status)),
    }
}

impl TestTarget {
    /// How long a check may take.
    pub(crate) fn patience(&self) -> Duration {
        self.endpoint.patience
    }

    /// Returns a new id, so that a response to another request is noticed.
    fn id(&self) -> Value {
        format!("probe-{}", self.ids.fetch_add(1, Ordering::Relaxed)).into()
    }

    /// Builds the request of the check.
    pub(crate) fn check_request(&self) -> Request {
        self.check_request_with(self.id())
    }

    /// Builds a check with an id of this many bytes. The response repeats the id, so it is at least
    /// as large.
    pub(crate) fn large_check_request(&self, bytes: usize) -> Request {
        self.check_request_with("x".repeat(bytes).into())
    }

    fn check_request_with(&self, id: Value) -> Request {
        self.dialect.request(id, self.check.method(), json!({}))
    }

    /// Builds a call of the slow tool, with or without a progress token.
    pub(crate) fn slow_call(
        &self,
        progress: bool,
        monitor: Option<&ToolMonitor>,
    ) -> Option<Request> {
        let mut params = self.slow_tool.as_ref()?.params(monitor);
        if progress {
            params["_meta"]["progressToken"] = "probe".into();
        }
        Some(self.dialect.request(self.id(), "tools/call", params))
    }

    /// Builds the request that a case aborts: a call of the slow tool, or else the check.
    pub(crate) fn victim(&self) -> Request {
        self.slow_call(false, None).unwrap_or_else(|| self.check_request())
    }

    /// Runs the check on a new connection.
    pub(crate) async fn check(&self) -> Result<(), CheckError> {
        self.check_with(&self.check_request()).await
    }

    /// Runs a check with the given request.
    pub(crate) async fn check_with(&self, request: &Request) -> Result<(), CheckError> {
        let response = http1::exchange(&self.endpoint, request).await?;
        self.check.result(&response, &request.id).map(drop)
    }

    /// Runs the check on an open connection.
    pub(crate) async fn check_on_http1(
        &self,
        connection: &mut http1::Connection,
    ) -> Result<(), CheckError> {
        let request = self.check_request();
        let exchange = connection.exchange(&self.endpoint, &request);
        let response = within(self.patience(), exchange).await?;
        self.check.result(&response, &request.id).map(drop)
    }

    /// Runs the check on an open HTTP/2 connection.
    pub(crate) async fn check_on_http2(
        &self,
        connection: &mut http2::Connection,
        limit: Duration,
    ) -> Result<(), CheckError> {
        let request = self.check_request();
        let response = within(limit, connection.exchange(&self.endpoint, &request)).await?;
        self.check.result(&response, &request.id).map(drop)
    }
}
