//! Requests in the version of the protocol that the server speaks.

use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, HeaderValue,
    header::{ACCEPT, CONTENT_TYPE},
};
use serde::Serialize;
use serde_json::{Value, json};

const PROTOCOL_VERSION: HeaderName = HeaderName::from_static("mcp-protocol-version");
const METHOD: HeaderName = HeaderName::from_static("mcp-method");
const NAME: HeaderName = HeaderName::from_static("mcp-name");
/// Header with the session id of a legacy server.
pub(crate) const SESSION: HeaderName = HeaderName::from_static("mcp-session-id");

/// Protocol version of modern clients.
pub(crate) const MODERN: &str = "2026-07-28";
/// Protocol version that a legacy client requests.
const LEGACY: &str = "2025-11-25";

/// Generation of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Era {
    /// 2026-07-28: stateless, every request carries its metadata.
    Modern,
    /// 2025-11-25 and before: a handshake opens a session.
    Legacy,
}

/// JSON-RPC request or notification with its HTTP headers, not yet framed.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// JSON-RPC id, null for a notification.
    pub(crate) id: Value,
}

/// Version of the protocol, and the session of a legacy server.
#[derive(Clone, Debug)]
pub(crate) struct Dialect {
    pub(crate) era: Era,
    pub(crate) version: String,
    session: Option<HeaderValue>,
}

impl Dialect {
    pub(crate) fn modern() -> Self {
        Self { era: Era::Modern, version: MODERN.to_owned(), session: None }
    }

    /// Creates the dialect that a legacy handshake agreed on.
    pub(crate) fn legacy(version: String, session: Option<HeaderValue>) -> Self {
        Self { era: Era::Legacy, version, session }
    }

    /// Builds a request. The params must be an object.
    pub(crate) fn request(&self, id: Value, method: &str, mut params: Value) -> Request {
        let mut headers = self.headers();
        if self.era == Era::Modern {
            params["_meta"]["io.modelcontextprotocol/protocolVersion"] = MODERN.into();
            params["_meta"]["io.modelcontextprotocol/clientCapabilities"] = json!({});
            insert(&mut headers, METHOD, method);
            if let Some(name) = params["name"].as_str() {
                insert(&mut headers, NAME, name);
            }
        }
        let body = json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params});
        Request { headers, body: body.to_string().into(), id }
    }

    /// Builds a notification without params.
    pub(crate) fn notification(&self, method: &str) -> Request {
        let body = json!({"jsonrpc": "2.0", "method": method}).to_string().into();
        Request { headers: self.headers(), body, id: Value::Null }
    }

    fn headers(&self) -> HeaderMap {
        let mut headers = common_headers();
        insert(&mut headers, PROTOCOL_VERSION, &self.version);
        if let Some(session) = &self.session {
            headers.insert(SESSION, session.clone());
        }
        headers
    }
}

/// Builds the first request of a legacy client.
pub(crate) fn initialize() -> Request {
    let id = Value::from("probe-initialize");
    let params = json!({
        "protocolVersion": LEGACY,
        "capabilities": {},
        "clientInfo": {"name": "midge-probe", "version": env!("CARGO_PKG_VERSION")},
    });
    let body = json!({"jsonrpc": "2.0", "id": id, "method": "initialize", "params": params});
    Request { headers: common_headers(), body: body.to_string().into(), id }
}

fn common_headers() -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(ACCEPT, HeaderValue::from_static("application/json, text/event-stream"));
    headers
}

/// Adds a header. A value of the server that is not a valid header value is left out.
fn insert(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}
