//! The exchange without I/O: a request's head and body in, a reply out.
//!
//! [`serve`] is the life of an exchange. It checks the head ([`admission`]), reads the body, has the
//! message in it answered ([`message`](crate::rpc::message)) and writes the answer ([`writer`]), as JSON
//! or as a stream ([`sse`]). Which failure gets which status stands in
//! [`status`]. Bytes come and go through a [`Transport`](transport::Transport), and whatever goes
//! wrong there means one thing: the client is gone.

mod accept;
mod admission;
mod exchange;
mod head;
mod origin;
mod reply;
mod sink;
mod sse;
mod status;
pub(crate) mod transport;
mod writer;

#[cfg(all(target_family = "wasm", feature = "p3"))]
pub(crate) use exchange::cancelled;
pub(crate) use exchange::serve;
#[cfg(target_family = "wasm")]
pub(crate) use exchange::serve_with_contexts;
pub(crate) use head::{Method, RequestHead};
#[cfg(target_family = "wasm")]
pub(crate) use {sse::event, status::reply_to};
