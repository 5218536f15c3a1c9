//! The task that drives a connection.

use tokio::task::JoinHandle;

/// Task that owns the socket of a connection. Drop closes the socket soon,
/// [`ConnectionTask::close`] at once.
#[derive(Debug)]
pub(crate) struct ConnectionTask(JoinHandle<()>);

impl ConnectionTask {
    /// Spawns the task. Its result is ignored: exchanges report the errors of the connection.
    pub(crate) fn spawn(connection: impl Future<Output: Send> + Send + 'static) -> Self {
        Self(tokio::spawn(async { drop(connection.await) }))
    }

    /// Closes the socket.
    pub(crate) async fn close(mut self) {
        self.0.abort();
        // The task reports that it was aborted.
        let _ = (&mut self.0).await;
    }
}

impl Drop for ConnectionTask {
    fn drop(&mut self) {
        self.0.abort();
    }
}
