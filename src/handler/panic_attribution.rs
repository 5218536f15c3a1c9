//! Whose fault a panic would be.

use std::cell::RefCell;
use std::rc::Rc;

use crate::protocol::jsonrpc::RequestId;

/// The request whose handler is running, if one is. All clones are the same: whoever runs handlers
/// sets it, and a panic hook, which is told nothing, finds it.
///
/// Setting it is no method of a trait object: an instance that lives for one exchange pays for its
/// first call of each.
#[derive(Debug, Clone, Default)]
pub(crate) struct PanicAttribution(Rc<RefCell<Option<RequestId>>>);

impl PanicAttribution {
    /// From here on, a panic is the fault of the handler of this request.
    pub(crate) fn set(&self, request: &RequestId) {
        self.0.replace(Some(request.clone()));
    }

    /// From here on, a panic is nobody's fault.
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
