//! Addresses to listen on.

use std::{
    fmt::Display,
    net::{SocketAddr, ToSocketAddrs},
};

/// Resolves `HOST:PORT`. Of a name with addresses of both kinds it takes the IPv4 one, as the default is.
pub(super) fn resolve(text: &str) -> Result<SocketAddr, String> {
    let is_complete = text.rsplit_once(':').is_some_and(|(host, _)| !host.is_empty());
    if !is_complete {
        return Err(format!("`{text}` is not HOST:PORT"));
    }
    let failed = |reason: &dyn Display| format!("cannot resolve `{text}`: {reason}");
    let addresses: Vec<_> = text.to_socket_addrs().map_err(|error| failed(&error))?.collect();
    let first = addresses.iter().find(|addr| addr.is_ipv4()).or(addresses.first());
    first.copied().ok_or_else(|| failed(&"it has no address"))
}
