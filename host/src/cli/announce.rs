//! What the command prints on standard output.

use std::{
    io::{self, Write},
    net::SocketAddr,
};

use crate::error::HostError;

/// A request to try a server with, as a `curl` command.
#[derive(Clone, Copy)]
pub(super) enum SampleRequest {
    /// Lists the tools, which every server supports.
    ListTools,
    /// Calls a tool of the demo.
    CallGreet,
}

impl SampleRequest {
    fn curl(self, url: &str) -> String {
        let (headers, method, params) = match self {
            Self::ListTools => ("-H 'Mcp-Method: tools/list'", "tools/list", ""),
            Self::CallGreet => (
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

/// Prints the address of a server, and a request to try it with.
pub(super) fn announce(
    addr: SocketAddr,
    what: &str,
    sample: SampleRequest,
) -> Result<(), HostError> {
    let url = format!("http://{addr}/mcp");
    let curl = sample.curl(&url);
    print(&format!("Serving {what} on {url}\n\nTry it:\n  {curl}\n"))
}

/// Writes a line to standard output.
pub(super) fn print(line: &str) -> Result<(), HostError> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")
        .and_then(|()| out.flush())
        .map_err(|source| HostError::System { what: "write to standard output", source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sample_requests_are_json() {
        for sample in [SampleRequest::ListTools, SampleRequest::CallGreet] {
            let line = sample.curl("http://x/mcp");
            let body = line.split("-d '").nth(1).and_then(|rest| rest.strip_suffix('\''));
            let body: Option<serde_json::Value> =
                body.and_then(|body| serde_json::from_str(body).ok());
            assert_eq!(body.map(|body| body["id"] == 1), Some(true), "{line}");
        }
    }
}
