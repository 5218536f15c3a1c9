//! A handler that is ready to run, with how its transport should run it.

use crate::handler::context::{Context, LocalFuture};
use crate::handler::result::MethodResult;

/// A call of a handler: of a tool, a prompt, a resource or a completion. It runs as its future is
/// polled.
pub(crate) struct HandlerCall {
    pub(crate) future: LocalFuture<MethodResult>,
    pub(crate) context: Context,
    pub(crate) run_to_completion: bool,
    pub(crate) early_stream: bool,
    pub(crate) heartbeat: bool,
    /// The context needs a clock.
    pub(crate) clock: bool,
    /// Runs for as long as its client listens.
    pub(crate) listens: bool,
}

impl HandlerCall {
    pub(crate) fn new(context: Context, future: LocalFuture<MethodResult>) -> Self {
        let no = false;
        Self {
            future,
            context,
            run_to_completion: no,
            early_stream: no,
            heartbeat: no,
            clock: no,
            listens: no,
        }
    }
}
