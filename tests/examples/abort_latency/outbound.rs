//! Guests that wait for a server which never answers.

use std::{
    io::{self, Read},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    sync::mpsc::{self, Receiver, Sender},
    thread,
    time::{Duration, Instant},
};

use fastrand::Rng;
use midge_host::{HostRule, HostRuleError};
use midge_tests::{Message, PATIENCE, Serving, Wire};
use serde_json::json;
use tokio::time::sleep;

/// A server that reads requests and does not answer. Its thread ends with the process.
pub(crate) struct Upstream {
    addr: SocketAddr,
    seen: Receiver<Seen>,
}

/// What the server sees of a connection.
enum Seen {
    /// A whole request.
    Asked,
    /// The end of the connection, then.
    Closed(Instant),
}

impl Upstream {
    /// Starts it on a port of its own.
    pub(crate) fn start() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let addr = listener.local_addr()?;
        let (tell, seen) = mpsc::channel();
        thread::Builder::new().name("upstream".to_owned()).spawn(move || {
            for socket in listener.incoming() {
                if socket.and_then(|socket| watch(socket, &tell)).is_err() {
                    return;
                }
            }
        })?;
        Ok(Self { addr, seen })
    }

    /// What lets a guest call it.
    pub(crate) fn rule(&self) -> Result<HostRule, HostRuleError> {
        self.addr.to_string().parse()
    }

    /// From the client's leaving to the end of the guest's call. The client leaves when the
    /// server has been asked, and when this much of the guest's own answer has come.
    pub(crate) async fn round(
        &self,
        serving: &Serving,
        until: Option<&str>,
        leave: fn(Wire),
        rng: &mut Rng,
    ) -> Duration {
        let url = format!("http://{}/never", self.addr);
        let call = Message::call("outbound", json!({"url": url}));
        let mut wire = serving.wire().await;
        match until {
            None => wire.post(&call.accept("application/json")).await,
            Some(text) => {
                wire.post(&call).await;
                wire.until(text).await;
            }
        }
        assert!(matches!(self.next(), Seen::Asked), "the guest calls");
        sleep(Duration::from_micros(rng.u64(..100_000))).await;
        let left = Instant::now();
        leave(wire);
        let Seen::Closed(closed) = self.next() else { panic!("a call before the last one's end") };
        serving.until_idle().await;
        closed.saturating_duration_since(left)
    }

    fn next(&self) -> Seen {
        let seen = self.seen.recv_timeout(PATIENCE);
        seen.unwrap_or_else(|error| panic!("nothing is heard from the upstream: {error}"))
    }
}

/// Reads a connection to its end; fails when nobody listens any more.
fn watch(mut socket: TcpStream, tell: &Sender<Seen>) -> io::Result<()> {
    let gone = |_| io::Error::from(io::ErrorKind::BrokenPipe);
    let mut request = Vec::new();
    let mut piece = [0; 4096];
    // A reset is an end as well.
    while let Ok(length @ 1..) = socket.read(&mut piece) {
        request.extend_from_slice(&piece[..length]);
        if request.ends_with(b"\r\n\r\n") {
            tell.send(Seen::Asked).map_err(gone)?;
        }
    }
    tell.send(Seen::Closed(Instant::now())).map_err(gone)
}
