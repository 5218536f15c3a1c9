//! The ways to close a connection.

use std::time::Duration;

use socket2::SockRef;
use tokio::net::TcpStream;

/// How a client closes its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Disconnect {
    /// With a FIN: the client sends nothing more.
    Fin,
    /// With an RST: the connection is aborted.
    Reset,
}

impl Disconnect {
    /// Sets the socket up to close in this way when it is dropped.
    pub(crate) fn prepare(self, stream: &TcpStream) {
        if self == Self::Reset {
            // Fails only on a socket that is closed already.
            let _ = SockRef::from(stream).set_linger(Some(Duration::ZERO));
        }
    }
}
