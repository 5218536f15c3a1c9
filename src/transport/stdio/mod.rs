//! A connection without I/O: messages in lines from one client, answers in lines to it.
//!
//! [`serve`] is the life of a connection. It cuts what comes into lines ([`lines`]), has each
//! message in them answered ([`message`](crate::rpc::message)) and polls the answers side by side
//! ([`connection`]), so that one may take its time and a notification can cancel it ([`respond`]).
//! Bytes come and go through [`Streams`]; whatever goes wrong there means one thing: the client is
//! gone.
//!
//! A server is built for each message, as over HTTP. What is remembered in between is what the
//! handshake of a legacy client agrees on.

mod connection;
mod lines;
mod respond;
mod streams;

use std::future::poll_fn;
use std::rc::Rc;

#[cfg(test)]
pub(crate) use connection::DRAIN;
pub(crate) use streams::Streams;

use self::connection::Connection;
use crate::server::Server;

/// Serves one client until it is gone, or until its input has ended and all of it is answered.
pub(crate) async fn serve<S: Streams + 'static>(build: Rc<dyn Fn() -> Server>, streams: S) {
    let mut connection = Connection::new(build, streams);
    poll_fn(|cx| connection.poll(cx)).await;
}
