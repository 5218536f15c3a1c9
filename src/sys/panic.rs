//! The last words of a guest that panics: the client still gets an answer.
//!
//! A panic in a component ends in a trap, and a trap tells the client nothing: it would see an
//! empty answer, or a stream that looks complete. The panic hook runs before the trap, so it
//! answers in the handler's place.

use std::cell::RefCell;
use std::panic::PanicHookInfo;
use std::rc::Rc;

use midge_contract::PANIC;

use crate::sys::log::log;

/// What a panic is answered with.
pub(super) trait PanicResponder {
    /// Answers, and swallows that it may not succeed: the client may be gone as well.
    fn respond(&mut self);
}

thread_local! {
    /// The answer of the exchange at work, for the hook, which gets no arguments of ours. Set anew
    /// by every exchange and, where an instance has several at once, whenever one of them goes on.
    static RESPONDER: RefCell<Option<Rc<RefCell<dyn PanicResponder>>>> = const { RefCell::new(None) };
}

/// From here on, a panic is answered with this.
pub(super) fn respond_with(answer: Rc<RefCell<dyn PanicResponder>>) {
    RESPONDER.set(Some(answer));
    std::panic::set_hook(Box::new(on_panic));
}

/// A future whose panics are answered with this, and nobody else's.
#[cfg(feature = "p3")]
pub(super) fn responding<F: Future>(
    answer: Rc<RefCell<dyn PanicResponder>>,
    future: F,
) -> impl Future<Output = F::Output> {
    std::panic::set_hook(Box::new(on_panic));
    let mut future = Box::pin(future);
    std::future::poll_fn(move |cx| {
        let before = RESPONDER.replace(Some(Rc::clone(&answer)));
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
    let answer = RESPONDER.try_with(|answer| answer.try_borrow_mut().ok()?.take());
    // Borrowed: the panic came from writing the answer, so there is none to give.
    if let Some(answer) = answer.ok().flatten()
        && let Ok(mut answer) = answer.try_borrow_mut()
    {
        answer.respond();
    }
}
