//! Sockets, the threads that serve them, and the connections on them.

mod allowed_hosts;
mod connection;
mod connections;
mod open_files;
pub(crate) mod server;
mod socket;
mod supervisor;
mod workers;
