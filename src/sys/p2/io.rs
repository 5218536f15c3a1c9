//! Streams and clocks of WASI 0.2.

use std::time::Duration;

use wasip2::io::poll::Pollable;
use wasip2::io::streams::StreamError;
use wstd::runtime::AsyncPollable;

use crate::handler::context::LocalFuture;
use crate::handler::disconnect::ClientGone;

/// Bytes to ask for in one read; hosts give what they have.
pub(crate) const READ_SIZE: u64 = 64 << 10;

/// No exchange lasts longer, and no clock need be able to say more.
const LONGEST_WAIT: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// Runs a future to its end. Boxed, so that there is one runtime for all entries of a component.
pub(crate) fn block_on(future: impl Future<Output = ()> + 'static) {
    let future: LocalFuture<()> = Box::pin(future);
    wstd::runtime::block_on(future);
}

pub(crate) fn gone(error: StreamError) -> ClientGone {
    match error {
        StreamError::Closed => ClientGone::new("stream closed"),
        StreamError::LastOperationFailed(error) => ClientGone::new(&error.to_debug_string()),
    }
}

pub(crate) async fn sleep(time: Duration) {
    wstd::task::sleep(time.min(LONGEST_WAIT).into()).await;
}

pub(crate) async fn wait_for(pollable: Pollable) {
    AsyncPollable::new(pollable).wait_for().await;
}
