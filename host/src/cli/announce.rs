//! Lines that the command prints on standard output.

use std::{
    io::{self, Write},
    net::SocketAddr,
};

use crate::error::HostError;

/// The request in the line that shows how to talk to a server.
#[derive(Clone, Copy)]
pub(crate) enum Call {
    /// Lists the tools; any server knows this.
    List,
    /// Calls a tool of the demo.
    Greet,
}

impl Call {
    fn curl(self, url: &str) -> String {
        let (headers, method, params) = match self {
            Self::List => ("-H 'Mcp-Method: tools/list'", "tools/list", ""),
            Self::Greet => (
                "-H 'Mcp-Method: tools/call' -H 'Mcp-Name: greet'",
                "tools/call",
                r#""name":"greet","arguments":{"name":"World"},"#,
            ),
        };
        let meta = r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}"#;
        format!(
            "curl -s {url} -H 'Content-Type: application/json' \
             -H 'Accept: application/json, text/event-stream' \
             -H 'MCP-Protocol-Version: 2026-07-28' {headers} \
             -d '{{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"{method}\",\"params\":{{{params}{meta}}}}}'"
        )
    }
}

/// Tells on standard output where the server is, and how to try it.
pub(crate) fn announce(addr: SocketAddr, what: &str, call: Call) -> Result<(), HostError> {
    let url = format!("http://{addr}/mcp");
    let curl = call.curl(&url);
    print(&format!("Serving {what} on {url}\n\nTry it:\n  {curl}\n"))
}

/// Writes a line to standard output.
pub(crate) fn print(line: &str) -> Result<(), HostError> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")
        .and_then(|()| out.flush())
        .map_err(|source| HostError::System { what: "write to standard output", source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_requests_shown_are_json() {
        for call in [Call::List, Call::Greet] {
            let line = call.curl("http://x/mcp");
            let body = line.split("-d '").nth(1).and_then(|rest| rest.strip_suffix('\''));
            let body: Option<serde_json::Value> =
                body.and_then(|body| serde_json::from_str(body).ok());
            assert_eq!(body.map(|body| body["id"] == 1), Some(true), "{line}");
        }
    }
}
