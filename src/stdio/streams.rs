//! Where the lines of a connection come from and go to.

use crate::client_gone::Io;
use crate::context::Clock;
use crate::protocol::jsonrpc::RequestId;

/// The two streams of a connection, the clock beside them, and a place for log lines.
///
/// Reading and writing go on at the same time, each once at a time. After an operation broke off,
/// none of them is called again.
pub(crate) trait Streams {
    /// The next piece of the input, never empty; `None` at its end.
    async fn read(&self) -> Io<Option<Vec<u8>>>;

    /// Writes a line, and waits until it is out.
    async fn write(&self, line: &[u8]) -> Io;

    /// Waits.
    fn clock(&self) -> Clock;

    /// From here on, a panic is the fault of the handler of this request; `None`: of nobody.
    fn blame(&self, request: Option<&RequestId>);

    /// Writes a line to the server's log.
    fn log(&self, line: &str);
}
