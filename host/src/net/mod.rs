//! Sockets, the threads that serve them, and the connections on them.

mod allowed_hosts;
mod connection;
pub(crate) mod server;
mod socket;
mod supervisor;
mod workers;
