//! The request that is answered with an error if the guest panics.

use std::cell::RefCell;
use std::rc::Rc;

use crate::protocol::jsonrpc::RequestId;

/// The request whose handler is running, if any. All clones share it: the code that runs handlers
/// sets it, and the panic hook, which gets no arguments, reads it.
///
/// Not a trait method: every first indirect call costs a fresh instance.
#[derive(Debug, Clone, Default)]
pub(crate) struct PanicAttribution(Rc<RefCell<Option<RequestId>>>);

impl PanicAttribution {
    /// Attributes panics to the handler of this request.
    pub(crate) fn set(&self, request: &RequestId) {
        self.0.replace(Some(request.clone()));
    }

    /// Attributes panics to no request.
    pub(crate) fn clear(&self) {
        self.take();
    }

    #[cfg(test)]
    pub(crate) fn get(&self) -> Option<RequestId> {
        self.0.borrow().clone()
    }

    pub(crate) fn take(&self) -> Option<RequestId> {
        self.0.take()
    }
}
