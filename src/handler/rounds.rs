//! Requests that take several rounds, as a trait: servers that never ask link none of it.

use std::any::Any;

use crate::handler::request::RequestInfo;
use crate::handler::result::MethodResult;

/// The rounds of a request. An object, so that servers that ask their clients nothing need not link
/// what asks and seals.
pub(crate) trait Rounds: Any {
    /// What the exchange ends with, where the handler waits for the client.
    fn ending(&self, request: &RequestInfo) -> Option<MethodResult>;
}
