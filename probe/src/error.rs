//! Why a server could not be tested at all.

use std::{io, net::SocketAddr};

/// Why there is no report. What a server does wrong is in the report instead.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// The URL is not one of a plain HTTP server.
    #[error("`{url}` is not a URL like http://127.0.0.1:8080/mcp (TLS is not supported)")]
    Url {
        /// What was given.
        url: String,
    },
    /// The host of the URL has no address.
    #[error("cannot find `{host}`: {source}")]
    Resolve {
        /// The host's name.
        host: String,
        /// Why.
        source: io::Error,
    },
    /// The server is on another machine, and nobody said whose it is.
    #[error(
        "{addr} is not a loopback address. The battery leaves hundreds of connections in bad \
         ways: run it against servers of your own only, and say so with --i-own-this-server"
    )]
    NotLoopback {
        /// Where the server is.
        addr: SocketAddr,
    },
    /// Nobody accepts a connection.
    #[error("cannot connect to {addr}: {source}")]
    Unreachable {
        /// Where the server should be.
        addr: SocketAddr,
        /// Why not.
        source: io::Error,
    },
    /// What answers is no MCP server.
    #[error("no MCP server answers at {url}: server/discover: {modern}; initialize: {legacy}")]
    NotMcp {
        /// The endpoint.
        url: String,
        /// What came of the way modern clients begin.
        modern: String,
        /// What came of the way legacy clients begin.
        legacy: String,
    },
    /// The server answers, but not the request every case is followed by.
    #[error("the server does not answer `{method}` rightly before any client has left: {reason}")]
    Unfit {
        /// The request.
        method: &'static str,
        /// What is wrong with the answer.
        reason: String,
    },
    /// The server does not have the slow tool that was named.
    #[error("the server has no tool `{name}`")]
    NoSuchTool {
        /// The tool's name.
        name: String,
    },
    /// There is no case of that name.
    #[error("there is no case `{name}`; `--list` names them all")]
    NoSuchCase {
        /// The name.
        name: String,
    },
    /// The listener of the beacon cannot be opened.
    #[error("cannot listen for the slow tool: {source}")]
    Beacon {
        /// Why.
        source: io::Error,
    },
}
