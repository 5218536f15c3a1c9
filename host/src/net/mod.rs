//! Sockets, the threads that serve them, and the connections on them.

pub(crate) mod allowed_hosts;
pub(crate) mod connection;
pub(crate) mod server;
pub(crate) mod socket;
pub(crate) mod supervisor;
pub(crate) mod workers;
