//! What the battery says: JSON-RPC messages in the dialect of the server.

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
/// What a legacy server knows its session by, if it has any.
pub(super) const SESSION: HeaderName = HeaderName::from_static("mcp-session-id");

/// The revision modern clients speak.
pub(super) const MODERN: &str = "2026-07-28";
/// The revision a legacy client asks for.
const LEGACY: &str = "2025-11-25";

/// How clients and a server speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Era {
    /// 2026-07-28: every request says all there is to know.
    Modern,
    /// 2025-11-25 and before: a handshake comes first.
    Legacy,
}

/// One HTTP request, without its framing.
#[derive(Clone, Debug)]
pub(super) struct Message {
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    /// What its answer is known by.
    pub(super) id: Value,
}

/// How to speak to a server.
#[derive(Clone, Debug)]
pub(super) struct Dialect {
    pub(super) era: Era,
    pub(super) version: String,
    session: Option<HeaderValue>,
}

impl Dialect {
    pub(super) fn modern() -> Self {
        Self { era: Era::Modern, version: MODERN.to_owned(), session: None }
    }

    /// The outcome of a legacy handshake.
    pub(super) fn legacy(version: String, session: Option<HeaderValue>) -> Self {
        Self { era: Era::Legacy, version, session }
    }

    /// A request with this id.
    pub(super) fn request(&self, id: Value, method: &str, mut params: Value) -> Message {
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
        Message { headers, body: body.to_string().into(), id }
    }

    /// A notification without params.
    pub(super) fn notification(&self, method: &str) -> Message {
        let body = json!({"jsonrpc": "2.0", "method": method}).to_string().into();
        Message { headers: self.headers(), body, id: Value::Null }
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

/// The first request of a legacy client.
pub(super) fn initialize() -> Message {
    let id = Value::from("probe-initialize");
    let params = json!({
        "protocolVersion": LEGACY,
        "capabilities": {},
        "clientInfo": {"name": "midge-probe", "version": env!("CARGO_PKG_VERSION")},
    });
    let body = json!({"jsonrpc": "2.0", "id": id, "method": "initialize", "params": params});
    Message { headers: common_headers(), body: body.to_string().into(), id }
}

fn common_headers() -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(ACCEPT, HeaderValue::from_static("application/json, text/event-stream"));
    headers
}

/// Adds a header, unless the value came from the server and is no header's value.
fn insert(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}
