//! Where a slow tool shows that it is still at work.
//!
//! From outside nobody sees whether a tool goes on after its client has left. So it is given a
//! URL of this listener in its arguments, and asked to hold a connection to it while it works.

use std::{net::Ipv4Addr, time::Duration};

use serde::Serialize;
use tokio::{
    io::AsyncReadExt,
    net::{TcpListener, TcpStream},
    time::{Instant, timeout, timeout_at},
};

use super::ProbeError;

/// What stands for the URL in the arguments of a tool.
pub(super) const PLACE: &str = "{beacon}";
/// How long a tool may go on before nobody looks any more.
const LONGEST: Duration = Duration::from_secs(8);

/// For how long a tool was seen at work after its client had left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct KeptRunning {
    /// Milliseconds from the client's leaving to the tool's.
    pub ms: u64,
    /// The tool was still at work when nobody looked any more.
    pub at_least: bool,
}

/// A listener for one call.
#[derive(Debug)]
pub(super) struct Beacon {
    listener: TcpListener,
    url: String,
}

impl Beacon {
    pub(super) async fn light() -> Result<Self, ProbeError> {
        let lit = async {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
            let url = format!("http://{}/beacon", listener.local_addr()?);
            Ok(Self { listener, url })
        };
        lit.await.map_err(|source| ProbeError::Beacon { source })
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// Waits until the tool is at work.
    pub(super) async fn seen(&self, within: Duration) -> Option<Sight> {
        let (stream, _) = timeout(within, self.listener.accept()).await.ok()?.ok()?;
        Some(Sight(stream))
    }
}

/// A tool that is at work.
#[derive(Debug)]
pub(super) struct Sight(TcpStream);

impl Sight {
    /// Waits until the tool is not at work any more. Its client has left at `left`.
    pub(super) async fn gone(mut self, left: Instant) -> KeptRunning {
        let mut scratch = [0; 1024];
        let end = async { while self.0.read(&mut scratch).await.is_ok_and(|read| read > 0) {} };
        let at_least = timeout_at(left + LONGEST, end).await.is_err();
        let ms = u64::try_from(left.elapsed().as_millis()).unwrap_or(u64::MAX);
        KeptRunning { ms, at_least }
    }
}
