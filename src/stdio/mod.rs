//! A connection without I/O: messages in lines from one client, answers in lines to it.
//!
//! [`serve`] is the life of a connection. It cuts what comes into lines ([`lines`]), has each
//! message answered ([`message`](crate::message)) and runs the handlers side by side ([`tasks`]),
//! so that an answer takes its time and a notification can cancel it. Bytes come and go through
//! [`Streams`]; whatever goes wrong there means one thing: the client is gone.
//!
//! A server is built for each message, as over HTTP. What is remembered in between is what the
//! handshake of a legacy client agrees on.

mod connection;
mod lines;
mod streams;
mod tasks;

use std::time::Duration;

use futures_lite::future::or;

pub(crate) use streams::Streams;

use self::connection::Connection;
use self::tasks::Tasks;
use crate::client_gone::{ClientGone, Io};
use crate::server::Server;

/// How long the work goes on whose input has ended, and that which runs to completion for a client
/// that is gone.
pub(crate) const DRAIN: Duration = Duration::from_secs(10);

/// Serves one client until it is gone, or until its input has ended and all of it is answered.
pub(crate) async fn serve<S: Streams>(build: &dyn Fn() -> Server, streams: &S) {
    let connection = Connection::new(build, streams);
    let tasks = Tasks::default();
    let input = or(read_to_end(&connection, &tasks), tasks.run());
    if let Io::Break(ClientGone { cause }) = or(input, connection.write()).await {
        streams.log(&format!("midge: client-gone: {cause}"));
    }
    connection.abandon();
    // Destructors, deferred work and what runs to completion.
    let rest = or(tasks.idle(), tasks.run());
    or(rest, streams.clock()(DRAIN)).await;
}

/// Reads to the end of the input, then lets what is at work come to its end.
async fn read_to_end<'c, S: Streams>(connection: &'c Connection<'c, S>, tasks: &Tasks<'c>) -> Io {
    connection.read(tasks).await?;
    connection.end_subscriptions();
    let drained = async {
        tasks.idle().await;
        true
    };
    let limit = async {
        connection.streams.clock()(DRAIN).await;
        false
    };
    if !or(drained, limit).await {
        connection.streams.log("midge: requests were cut: the input had ended before");
    }
    Io::Continue(())
}
