//! Errors that prevent a test.

use std::{io, net::SocketAddr};

/// Reason why there is no report. The failures of a tested server are in the report instead.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProbeError {
    /// The URL is not an `http://` URL.
    #[error("`{url}` is not a URL like http://127.0.0.1:8080/mcp (TLS is not supported)")]
    Url {
        /// The URL as it was given.
        url: String,
    },
    /// The host of the URL has no address.
    #[error("cannot resolve `{host}`: {source}")]
    Resolve {
        /// Name of the host.
        host: String,
        /// Error of the resolver.
        source: io::Error,
    },
    /// The server is on another machine, and the caller has not said that they own it.
    #[error(
        "{addr} is not a loopback address. The battery opens and breaks hundreds of connections: \
         run it only against servers of your own, and confirm that with --i-own-this-server"
    )]
    NotLoopback {
        /// Address of the server.
        addr: SocketAddr,
    },
    /// No address of the server accepts a connection.
    #[error("cannot connect to {addr}: {source}")]
    Unreachable {
        /// Address that was tried last.
        addr: SocketAddr,
        /// Error of the connection.
        source: io::Error,
    },
    /// The server at the URL does not speak MCP.
    #[error("no MCP server answers at {url}: server/discover: {modern}; initialize: {legacy}")]
    NotMcp {
        /// URL of the endpoint.
        url: String,
        /// Failure of the first request of a modern client.
        modern: String,
        /// Failure of the first request of a legacy client.
        legacy: String,
    },
    /// The check fails although no client has disconnected yet.
    #[error("the server fails `{method}` before any client has disconnected: {reason}")]
    CheckFailed {
        /// Method of the check.
        method: &'static str,
        /// Failure of the check.
        reason: String,
    },
    /// The server does not list the slow tool.
    #[error("the server has no tool `{name}`")]
    NoSuchTool {
        /// Name of the tool.
        name: String,
    },
    /// The battery has no case of that name.
    #[error("there is no case `{name}`; `--list` prints all cases")]
    NoSuchCase {
        /// Name that was given.
        name: String,
    },
    /// The listener that the slow tool connects to cannot be opened.
    #[error("cannot listen for the slow tool: {source}")]
    ToolMonitor {
        /// Error of the socket.
        source: io::Error,
    },
}
