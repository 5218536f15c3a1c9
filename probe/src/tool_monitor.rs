//! Observation of a running tool.
//!
//! A client cannot see whether a tool keeps running after the client has disconnected. So the
//! arguments of the tool contain the URL of a listener, and the tool holds a connection to it while
//! it runs.

use std::{net::Ipv4Addr, time::Duration};

use tokio::{
    io::AsyncReadExt,
    net::{TcpListener, TcpStream},
    time::{Instant, timeout, timeout_at},
};

use crate::{error::ProbeError, report::finding::KeptRunning};

/// Placeholder for the URL in the arguments of a tool.
pub(crate) const PLACEHOLDER: &str = "{beacon}";
/// How long a tool is observed after its client has disconnected.
const OBSERVATION_LIMIT: Duration = Duration::from_secs(8);

/// Listener for the connection of one tool call.
#[derive(Debug)]
pub(crate) struct ToolMonitor {
    listener: TcpListener,
    url: String,
}

impl ToolMonitor {
    pub(crate) async fn listen() -> Result<Self, ProbeError> {
        let listen = async {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
            let url = format!("http://{}/beacon", listener.local_addr()?);
            Ok(Self { listener, url })
        };
        listen.await.map_err(|source| ProbeError::ToolMonitor { source })
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Waits until the tool connects.
    pub(crate) async fn observe(&self, limit: Duration) -> Option<Observation> {
        let (stream, _) = timeout(limit, self.listener.accept()).await.ok()?.ok()?;
        Some(Observation(stream))
    }
}

/// Connection of a running tool.
#[derive(Debug)]
pub(crate) struct Observation(TcpStream);

impl Observation {
    /// Waits until the tool closes its connection. Its client disconnected at `disconnected`.
    pub(crate) async fn end(mut self, disconnected: Instant) -> KeptRunning {
        let mut scratch = [0; 1024];
        let end = async { while self.0.read(&mut scratch).await.is_ok_and(|read| read > 0) {} };
        let at_least = timeout_at(disconnected + OBSERVATION_LIMIT, end).await.is_err();
        let ms = u64::try_from(disconnected.elapsed().as_millis()).unwrap_or(u64::MAX);
        KeptRunning { ms, at_least }
    }
}
