//! A host that serves one guest.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    time::Duration,
};

use midge_host::{Config, Gauges, Guest, Host, Server, ServerHandle};
use tokio::runtime::{self, Runtime};
use tracing::{Dispatch, Level, dispatcher};

use crate::{Answer, Line, Log, Message, Wire, client, guests, soon};

/// The configuration of most tests: the default one, but smaller.
pub fn config() -> Config {
    Config {
        addr: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        max_exchanges: 16,
        cache_dir: Some(guests::cache().join("cache")),
        ..Config::default()
    }
}

/// A guest that is being served, on a runtime of its own; ends when it is dropped.
///
/// All threads of the runtime log to this test's own [`Log`], so that tests can run side by side
/// and each counts its own lines.
#[derive(Debug)]
pub struct Serving {
    host: Host,
    addr: SocketAddr,
    handle: ServerHandle,
    log: Log,
    dispatch: Dispatch,
    runtime: Option<Runtime>,
}

impl Serving {
    /// Serves a guest with the configuration of most tests.
    pub async fn of(guest: impl AsRef<Path>) -> Self {
        Self::with(config(), guest).await
    }

    /// Serves a guest.
    pub async fn with(config: Config, guest: impl AsRef<Path>) -> Self {
        let (log, dispatch) = Log::new();
        let runtime = runtime(&dispatch);
        let addr = config.addr;
        let host = Host::new(config).expect("the host starts");
        let guest = host.load(guest).expect("the guest loads");
        let binding = host.clone();
        let bound = runtime.spawn(async move { Server::bind(&binding, guest, addr).await });
        let server = bound.await.expect("binding does not panic").expect("there is a free port");
        let (addr, handle) = (server.local_addr(), server.handle());
        let server = runtime.spawn(async { server.on_threads() });
        let server = server.await.expect("starting does not panic").expect("there are threads");
        runtime.spawn(server.run());
        Self { host, addr, handle, log, dispatch, runtime: Some(runtime) }
    }

    /// Where it is served.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The URL of its endpoint.
    pub fn url(&self) -> String {
        format!("http://{}/mcp", self.addr)
    }

    /// What it has logged.
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// Controls the server.
    pub fn handle(&self) -> &ServerHandle {
        &self.handle
    }

    /// Loads one more guest.
    pub fn load(&self, guest: impl AsRef<Path>) -> Guest {
        dispatcher::with_default(&self.dispatch, || self.host.load(guest)).expect("it loads")
    }

    /// Sends a message, well-behaved and on a connection of its own, and reads the answer.
    pub async fn send(&self, message: &Message) -> Answer {
        client::send(self.addr, message).await
    }

    /// Opens a connection, to misbehave on it.
    pub async fn wire(&self) -> Wire {
        Wire::connect(self.addr).await
    }

    /// What is alive.
    pub fn gauges(&self) -> Gauges {
        self.host.gauges()
    }

    /// Waits until the gauges are as they should be.
    pub async fn until_gauges(&self, what: &str, condition: impl Fn(Gauges) -> bool) {
        let wait = async {
            while !condition(self.gauges()) {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        let waited = tokio::time::timeout(crate::PATIENCE, wait).await;
        assert!(waited.is_ok(), "{what}: the gauges stay at {:?}", self.gauges());
    }

    /// Waits until nothing is alive: no instance, no permit, no socket.
    pub async fn until_idle(&self) {
        let idle = Gauges::default();
        self.until_gauges("nothing is left", |gauges| gauges == idle).await;
    }

    /// Waits for the lines of this many exchanges and for quiet, and gives the lines. There are
    /// not more of them.
    pub async fn exchanges(&self, count: usize) -> Vec<Line> {
        let enough =
            |lines: &[Line]| lines.iter().filter(|line| line.is_exchange()).count() >= count;
        self.log.until(&format!("{count} exchange lines"), enough).await;
        self.until_idle().await;
        let lines = self.log.exchanges();
        assert_eq!(lines.len(), count, "a line for each exchange: {lines:#?}");
        lines
    }

    /// The line of the only exchange.
    pub async fn exchange(&self) -> Line {
        self.exchanges(1).await.remove(0)
    }

    /// Checks that an error or a warning was logged by the exchanges' own lines only, this often.
    pub fn assert_noise(&self, errors: usize, warnings: usize) {
        let lines = (self.log.at(Level::ERROR), self.log.at(Level::WARN));
        let counts = (lines.0.len(), lines.1.len());
        assert_eq!(counts, (errors, warnings), "errors and warnings: {lines:#?}");
        let others = lines.0.iter().chain(&lines.1).filter(|line| !line.is_exchange());
        assert_eq!(others.count(), 0, "only exchanges complain: {lines:#?}");
    }

    /// Checks that a whole exchange goes well now.
    pub async fn assert_serves(&self, message: &Message) {
        let answer = self.send(message).await;
        assert_eq!(answer.status, 200, "the next exchange: {}", answer.text());
        assert!(answer.complete, "the next exchange is answered whole");
        assert!(answer.json().get("result").is_some(), "the next answer: {}", answer.text());
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.handle.shutdown();
        // A test may be in a runtime of its own, where waiting for another is forbidden.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Two threads, which log to `dispatch`.
fn runtime(dispatch: &Dispatch) -> Runtime {
    let dispatch = dispatch.clone();
    runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        // For as long as the thread lives.
        .on_thread_start(move || std::mem::forget(dispatcher::set_default(&dispatch)))
        .build()
        .unwrap_or_else(|error| panic!("a runtime: {error}"))
}

/// Waits for a task of the test's own.
pub async fn join<T>(what: &str, task: tokio::task::JoinHandle<T>) -> T {
    soon(what, task).await.unwrap_or_else(|error| panic!("{what}: {error}"))
}
