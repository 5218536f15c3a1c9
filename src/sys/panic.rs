//! Responses of a guest that panics.
//!
//! A panic in a component ends in a trap, and hosts tell the client nothing about a trap: it would
//! see an empty response, or a stream that looks complete. The panic hook runs before the trap, so it
//! responds in the handler's place.

use std::cell::RefCell;
use std::panic::PanicHookInfo;
use std::rc::Rc;

use midge_contract::PANIC;

use crate::error::ProtocolError;
use crate::handler::panic_attribution::PanicAttribution;
use crate::rpc::response::Response;
use crate::sys::log::log;
use crate::transport::http::transport::ResponseHead;
use crate::transport::http::{event, reply_to};

/// A response that the panic hook finishes.
pub(super) trait PanicResponder {
    /// Responds. Errors are swallowed: the client may have disconnected as well.
    fn respond(&mut self);
}

/// How far the response of an exchange has come.
pub(super) enum Progress {
    Unsent,
    Sending,
    /// Nothing can be written any more, or something is being written right now.
    Over,
}

/// A pending HTTP response, as both versions of `wasi:http` have it. Its methods block: there is no
/// next poll.
pub(super) trait HttpResponder {
    fn progress(&self) -> Progress;

    /// The request that is responded to.
    fn attribution(&self) -> &PanicAttribution;

    /// Sends a whole response.
    fn send_now(&mut self, head: ResponseHead, body: &[u8]);

    /// Writes the last bytes of a response, and ends it.
    fn end_now(&mut self, last: &[u8]);
}

impl<T: HttpResponder> PanicResponder for T {
    fn respond(&mut self) {
        let response = Response::error(self.attribution().take().as_ref(), ProtocolError::Internal);
        match self.progress() {
            Progress::Unsent => {
                let (head, body) = reply_to(response, true).into_head();
                self.send_now(head.with_length(body.len()), body.as_bytes());
            }
            Progress::Sending => self.end_now(event(&response.json).as_bytes()),
            Progress::Over => {}
        }
    }
}

thread_local! {
    /// The response of the running exchange, for the hook, which gets no arguments of ours. Set by
    /// every exchange and, where an instance has several at once, whenever one of them is resumed.
    static RESPONDER: RefCell<Option<Rc<RefCell<dyn PanicResponder>>>> = const { RefCell::new(None) };
}

/// Lets the hook use this responder from now on.
pub(super) fn respond_with(responder: Rc<RefCell<dyn PanicResponder>>) {
    RESPONDER.set(Some(responder));
    std::panic::set_hook(Box::new(on_panic));
}

/// Wraps a future so that its own panics use this responder.
#[cfg(feature = "p3")]
pub(super) fn responding<F: Future>(
    responder: Rc<RefCell<dyn PanicResponder>>,
    future: F,
) -> impl Future<Output = F::Output> {
    std::panic::set_hook(Box::new(on_panic));
    let mut future = Box::pin(future);
    std::future::poll_fn(move |cx| {
        let before = RESPONDER.replace(Some(Rc::clone(&responder)));
        let polled = future.as_mut().poll(cx);
        RESPONDER.set(before);
        polled
    })
}

fn on_panic(info: &PanicHookInfo<'_>) {
    let message = info.payload_as_str().unwrap_or("(no message)");
    let message = message.lines().next().unwrap_or_default();
    match info.location() {
        Some(location) => log(&format!("{PANIC}: {message}, at {location}")),
        None => log(&format!("{PANIC}: {message}")),
    }
    let responder = RESPONDER.try_with(|responder| responder.try_borrow_mut().ok()?.take());
    // If it is borrowed, the panic came from writing the response, so there is none to give.
    if let Some(responder) = responder.ok().flatten()
        && let Ok(mut responder) = responder.try_borrow_mut()
    {
        responder.respond();
    }
}
