//! What a client says.

use serde_json::{Value, json};

/// The modern revision of the protocol.
pub const VERSION: &str = "2026-07-28";
/// The prefix of the keys of modern metadata.
const KEY: &str = "io.modelcontextprotocol";

/// An HTTP request that carries one JSON-RPC message, and that a test can spoil in many ways.
#[derive(Clone, Debug)]
pub struct Message {
    /// The HTTP method.
    pub verb: &'static str,
    /// The path.
    pub path: &'static str,
    /// All headers but `Host` and those that frame the body.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Message {
    /// A body, whatever it is, with the headers that every client sends.
    pub fn of_bytes(body: impl Into<Vec<u8>>) -> Self {
        let message = Self { verb: "POST", path: "/mcp", headers: Vec::new(), body: body.into() };
        message
            .header("content-type", "application/json")
            .header("accept", "application/json, text/event-stream")
    }

    /// A JSON body with the headers that every client sends.
    pub fn of_json(body: &Value) -> Self {
        Self::of_bytes(body.to_string())
    }

    /// A request of a modern client, with id 1 and the headers that repeat what it says.
    pub fn modern(method: &str, mut params: Value) -> Self {
        params["_meta"][format!("{KEY}/protocolVersion")] = VERSION.into();
        params["_meta"][format!("{KEY}/clientCapabilities")] = json!({});
        let name = params["name"].as_str().map(str::to_owned);
        let message = Self::request(method, params)
            .header("mcp-protocol-version", VERSION)
            .header("mcp-method", method);
        match name {
            Some(name) if method == "tools/call" => message.header("mcp-name", &name),
            _ => message,
        }
    }

    /// A modern call of a tool.
    pub fn call(tool: &str, arguments: Value) -> Self {
        Self::modern("tools/call", json!({"name": tool, "arguments": arguments}))
    }

    /// A request of a legacy client, with id 1, of the newest legacy version.
    pub fn legacy(method: &str, params: Value) -> Self {
        Self::request(method, params).header("mcp-protocol-version", "2025-11-25")
    }

    /// A legacy call of a tool.
    pub fn legacy_call(tool: &str, arguments: Value) -> Self {
        Self::legacy("tools/call", json!({"name": tool, "arguments": arguments}))
    }

    /// The first request of a legacy client.
    pub fn initialize() -> Self {
        let client = json!({"name": "test", "version": "1"});
        let params = json!({
            "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": client
        });
        Self::request("initialize", params)
    }

    /// A legacy notification.
    pub fn notification(method: &str) -> Self {
        Self::of_json(&json!({"jsonrpc": "2.0", "method": method}))
            .header("mcp-protocol-version", "2025-11-25")
    }

    fn request(method: &str, params: Value) -> Self {
        Self::of_json(&json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}))
    }

    /// Changes the JSON of the body.
    #[must_use]
    pub fn edit(mut self, change: impl FnOnce(&mut Value)) -> Self {
        let mut body = serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("only JSON can be edited: {error}"));
        change(&mut body);
        self.body = body.to_string().into_bytes();
        self
    }

    /// Sets the id.
    #[must_use]
    pub fn id(self, id: impl Into<Value>) -> Self {
        self.edit(|body| body["id"] = id.into())
    }

    /// Sets a key of the metadata, without its prefix if it is `progressToken`.
    #[must_use]
    pub fn meta(self, key: &str, value: impl Into<Value>) -> Self {
        let key = if key == "progressToken" { key.to_owned() } else { format!("{KEY}/{key}") };
        self.edit(|body| body["params"]["_meta"][key] = value.into())
    }

    /// Removes a key of the metadata, named as in [`Message::meta`].
    #[must_use]
    pub fn without_meta(self, key: &str) -> Self {
        let key = format!("{KEY}/{key}");
        self.edit(|body| {
            body["params"]["_meta"].as_object_mut().and_then(|meta| meta.remove(&key));
        })
    }

    /// Asks for progress.
    #[must_use]
    pub fn with_progress(self) -> Self {
        self.meta("progressToken", "token")
    }

    /// Adds a header, also a second one of that name.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Removes a header.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(other, _)| !other.eq_ignore_ascii_case(name));
        self
    }

    /// Replaces a header.
    #[must_use]
    pub fn with(self, name: &str, value: &str) -> Self {
        self.without(name).header(name, value)
    }

    /// Says what kind of answer is taken.
    #[must_use]
    pub fn accept(self, accept: &str) -> Self {
        self.with("accept", accept)
    }

    /// Sets the HTTP method.
    #[must_use]
    pub fn verb(self, verb: &'static str) -> Self {
        Self { verb, ..self }
    }

    /// Sets the path.
    #[must_use]
    pub fn path(self, path: &'static str) -> Self {
        Self { path, ..self }
    }

    /// The head in HTTP/1.1, with these framing headers.
    pub fn head(&self, framing: &str) -> String {
        let headers = self.headers.iter().map(|(name, value)| format!("{name}: {value}\r\n"));
        let Self { verb, path, .. } = self;
        let headers: String = headers.collect();
        format!("{verb} {path} HTTP/1.1\r\nhost: localhost\r\n{headers}{framing}\r\n")
    }

    /// All of it in HTTP/1.1.
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.head(&format!("content-length: {}\r\n", self.body.len())).into_bytes();
        bytes.extend_from_slice(&self.body);
        bytes
    }
}
