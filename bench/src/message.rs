//! The requests, and what a right answer has in it.

use std::{net::SocketAddr, sync::Arc};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode, header};
use http_body_util::Full;
use memchr::memmem;
use serde_json::{Value, json};

use crate::{servers, workload::Wire};

/// What is asked of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Question {
    /// Calls `greet`.
    Greet,
    /// Calls `greet` with a long name.
    GreetAtLength,
    /// Lists the tools, of which there are so many.
    List(usize),
    /// Calls `variable`.
    Variable,
    /// Calls `blob`.
    Blob,
    /// Calls `steps`.
    Steps,
    /// Calls `hold`.
    Hold,
}

/// How a client speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Era {
    /// As of 2026-07-28: every request says everything.
    Modern,
    /// As of 2025-11-25, without a handshake before.
    Legacy,
}

/// A request that can be sent any number of times.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    headers: HeaderMap,
    body: Bytes,
    expected: Arc<Expected>,
}

/// What makes an answer right, besides its status.
#[derive(Debug)]
enum Expected {
    /// It is this, to the byte.
    Exactly(&'static [u8]),
    /// Each of these is in it, this often.
    Parts(Vec<(String, usize)>),
}

const LONG_NAME: usize = 64 << 10;

impl Question {
    fn method(self) -> &'static str {
        match self {
            Self::List(_) => "tools/list",
            _ => "tools/call",
        }
    }

    fn tool(self) -> Option<&'static str> {
        match self {
            Self::Greet | Self::GreetAtLength => Some("greet"),
            Self::List(_) => None,
            Self::Variable => Some("variable"),
            Self::Blob => Some("blob"),
            Self::Steps => Some("steps"),
            Self::Hold => Some("hold"),
        }
    }

    fn arguments(self) -> Value {
        match self {
            Self::Greet => json!({ "name": "World" }),
            Self::GreetAtLength => json!({ "name": "x".repeat(LONG_NAME) }),
            _ => json!({}),
        }
    }

    fn streams(self) -> bool {
        matches!(self, Self::Steps | Self::Hold)
    }

    fn expected(self) -> Vec<(String, usize)> {
        match self {
            Self::Greet => vec![("Hello, World!".to_owned(), 1)],
            Self::GreetAtLength => vec![(format!("Hello, {}!", "x".repeat(LONG_NAME)), 1)],
            Self::List(count) => vec![(r#""name":"greet"#.to_owned(), count)],
            Self::Variable => vec![("unset".to_owned(), 1)],
            Self::Blob => vec![("x".repeat(1 << 20), 1)],
            Self::Steps => {
                vec![("notifications/progress".to_owned(), 10), ("Done.".to_owned(), 1)]
            }
            Self::Hold => vec![("notifications/progress".to_owned(), 1)],
        }
    }
}

impl Message {
    pub(crate) fn new(question: Question, era: Era) -> Self {
        Self {
            headers: headers(question, era),
            body: body(question, era).to_string().into(),
            expected: Arc::new(Expected::Parts(question.expected())),
        }
    }

    /// For a server that answers everything in the same way.
    pub(crate) fn answered_always_the_same(self) -> Self {
        Self { expected: Arc::new(Expected::Exactly(servers::ANSWER)), ..self }
    }

    pub(crate) fn request(&self, addr: SocketAddr, wire: Wire) -> Request<Full<Bytes>> {
        let mut request = Request::new(Full::new(self.body.clone()));
        *request.method_mut() = http::Method::POST;
        *request.headers_mut() = self.headers.clone();
        let host = addr.to_string();
        *request.uri_mut() = match wire {
            Wire::H2c => http::Uri::builder()
                .scheme("http")
                .authority(host)
                .path_and_query("/mcp")
                .build()
                .unwrap_or_default(),
            Wire::KeepAlive | Wire::NewConnection => {
                if let Ok(host) = HeaderValue::from_str(&host) {
                    request.headers_mut().insert(header::HOST, host);
                }
                http::Uri::from_static("/mcp")
            }
        };
        if wire == Wire::NewConnection {
            let close = HeaderValue::from_static("close");
            request.headers_mut().insert(header::CONNECTION, close);
        }
        request
    }

    /// Whether an answer is what it should be.
    pub(crate) fn is_answered_by(&self, status: StatusCode, body: &[u8]) -> bool {
        status == StatusCode::OK
            && match &*self.expected {
                Expected::Exactly(answer) => body == *answer,
                Expected::Parts(parts) => parts.iter().all(|(part, count)| {
                    memmem::find_iter(body, part.as_bytes()).count() == *count
                }),
            }
    }
}

fn headers(question: Question, era: Era) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let mut insert = |name, value| {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    };
    insert("content-type", "application/json");
    insert("accept", "application/json, text/event-stream");
    match era {
        Era::Modern => {
            insert("mcp-protocol-version", "2026-07-28");
            insert("mcp-method", question.method());
            if let Some(tool) = question.tool() {
                insert("mcp-name", tool);
            }
        }
        Era::Legacy => insert("mcp-protocol-version", "2025-11-25"),
    }
    headers
}

fn body(question: Question, era: Era) -> Value {
    let mut params = json!({});
    if let Some(tool) = question.tool() {
        params = json!({ "name": tool, "arguments": question.arguments() });
    }
    if era == Era::Modern {
        params["_meta"] = json!({
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientInfo": { "name": "midge-bench", "version": "1" },
            "io.modelcontextprotocol/clientCapabilities": {},
        });
    }
    if question.streams() {
        params["_meta"]["progressToken"] = json!(1);
    }
    json!({ "jsonrpc": "2.0", "id": 1, "method": question.method(), "params": params })
}
