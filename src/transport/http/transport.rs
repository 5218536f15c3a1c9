//! The trait through which an exchange reads and writes bytes.

use std::future::Future;
use std::time::Duration;

use http::StatusCode;

use crate::handler::context::Clock;
pub(crate) use crate::handler::disconnect::{ClientGone, Flow};
use crate::handler::panic_attribution::PanicAttribution;
use crate::headers::map::Fields;

/// An operation with a limit: a client that lets it pass is as good as gone.
pub(crate) async fn within<T>(
    limit: Option<impl Future<Output = ()>>,
    operation: impl Future<Output = Flow<T>>,
) -> Flow<T> {
    let Some(limit) = limit else { return operation.await };
    futures_lite::future::or(operation, async {
        limit.await;
        Flow::Break(ClientGone::new("the client took nothing until the time limit"))
    })
    .await
}

/// Status and headers of an answer.
#[derive(Debug, Clone)]
pub(crate) struct ResponseHead {
    pub(crate) status: StatusCode,
    pub(crate) headers: Fields,
}

impl ResponseHead {
    /// With the `Content-Length`, which spares client and server the chunks.
    pub(crate) fn with_length(mut self, length: usize) -> Self {
        if self.status != StatusCode::NO_CONTENT {
            self.headers.push("content-length", length.to_string());
        }
        self
    }
}

/// The two streams of one exchange, the clock beside them, and a place for log lines.
///
/// Called in this order: `read` until it gives `None`, `start` once, `write` any number of times,
/// `finish` once; or `send` once in place of the last three. After an operation broke off, none of them is called again; the one exception
/// is an answer to a body that ended too soon, whose failure nobody looks at.
pub(crate) trait Transport {
    /// The next piece of the request body, never empty; `None` at its end.
    async fn read(&mut self) -> Flow<Option<Vec<u8>>>;

    /// Sends the head and the first bytes of the body, which may be none.
    async fn start(&mut self, head: ResponseHead, first: &[u8]) -> Flow;

    /// Sends more of the body.
    async fn write(&mut self, bytes: &[u8]) -> Flow;

    /// Ends the body.
    async fn finish(&mut self, trailers: Option<Fields>) -> Flow;

    /// Sends an answer that is all there.
    async fn send(&mut self, head: ResponseHead, body: String) -> Flow {
        self.start(head.with_length(body.len()), body.as_bytes()).await?;
        self.finish(None).await
    }

    /// The answer has ended. One that `send` only kept leaves now; where there is `nothing_left` to
    /// do, it may also leave with the end of the exchange.
    async fn release(&mut self, _nothing_left: bool) -> Flow {
        Flow::Continue(())
    }

    /// Lets go of the answer, whose client is gone: also of one that broke off for want of time,
    /// where the stream itself has not failed. Nothing can be written to it any more.
    fn abandon(&mut self) {}

    /// Waits.
    fn wait(&self, time: Duration) -> impl Future<Output = ()> + 'static;

    /// The clock by itself, for handlers that wait.
    fn clock(&self) -> Clock;

    /// The request to answer if the guest panics. Transports without a panic hook ignore it.
    fn panic_attribution(&self) -> PanicAttribution {
        PanicAttribution::default()
    }

    /// Writes a line to the server's log.
    fn log(&self, line: &str);
}
