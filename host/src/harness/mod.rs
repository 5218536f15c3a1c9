//! The test harness: builds, loads and calls components.

mod client;
mod error;
mod log;

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use http::{Request, Response};
use tokio::{runtime, time::timeout};
use tracing::dispatcher;

pub use self::error::HarnessError;
use self::log::CapturedLog;
use midge_contract::Outcome;

use crate::{
    build::{self, Target},
    config::Config,
    error::HostError,
    net::server::Server,
    runtime::{component::Guest, host::Host},
    sealing,
};

/// Exchanges at once. A host reserves address space for each, and every harness has a host. One client,
/// which a harness is, may have three quarters of those that a host has.
const MAX_EXCHANGES: u32 = 22;
/// Time for an exchange beyond the limits of the host: to connect, to send, to close.
const MARGIN: Duration = Duration::from_secs(30);

/// A component under test, in a host of its own.
///
/// Each exchange uses a loopback socket on a port of its own, with the limits and the log of
/// `midge serve`, and an instance of its own. Several threads may run exchanges at once. No method is
/// async, so the harness works in every kind of test.
///
/// A guest that seals is granted a key, unless `Config::env` has one.
///
/// ```no_run
/// use midge_host::{Harness, Outcome};
///
/// # fn test() -> Result<(), Box<dyn std::error::Error>> {
/// let component = midge_host::build(env!("CARGO_MANIFEST_DIR"), "dev")?;
/// let harness = Harness::new(component)?;
/// let request = http::Request::post("/mcp")
///     .header("content-type", "application/json")
///     .header("accept", "application/json, text/event-stream")
///     .body(br#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#.to_vec())?;
/// let exchange = harness.exchange(request)?;
/// assert_eq!(exchange.outcome, Outcome::Ok, "{:#?}", exchange.log);
/// assert_eq!(exchange.response.status(), 200);
/// # Ok(())
/// # }
/// ```
///
/// `midge::testing` makes the requests, the same as for unit tests.
#[derive(Clone, Debug)]
pub struct Harness {
    host: Host,
    guest: Guest,
}

/// An exchange that has ended: the response was read to its end, deferred work is done, and the instance
/// is dropped.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Exchange {
    /// The response that the client has received, with all of a stream. If it was cut, `outcome` says
    /// so.
    pub response: Response<Vec<u8>>,
    /// How the exchange ended.
    pub outcome: Outcome,
    /// The lines that `midge serve` would log: what the guest has printed, and the access log line with
    /// its cause.
    pub log: Vec<String>,
}

impl Harness {
    /// Loads a component into a host with the default configuration, for 16 exchanges at once.
    ///
    /// # Errors
    ///
    /// As [`Host::load`].
    pub fn new(component: impl AsRef<Path>) -> Result<Self, HostError> {
        let config = Config { max_exchanges: MAX_EXCHANGES, ..Config::default() };
        Self::with_config(component, config)
    }

    /// Loads a component into a host with limits and grants of your own. The address and the time to
    /// drain are not used.
    ///
    /// # Errors
    ///
    /// As [`Host::new`] and [`Host::load`].
    pub fn with_config(component: impl AsRef<Path>, mut config: Config) -> Result<Self, HostError> {
        sealing::grant_development_key(&mut config)?;
        // No exchange takes longer, so each can finish.
        config.drain = config.exchange_timeout;
        let host = Host::new(config)?;
        let guest = host.load(component)?;
        Ok(Self { host, guest })
    }

    /// Sends a request, reads the response to its end, and waits for the end of the exchange.
    ///
    /// The path of the URI is used, and its authority if the request has no `Host` header. The call
    /// returns within the limits of the configuration, whatever the guest does.
    ///
    /// # Errors
    ///
    /// If there is no response at all. The host responds to every failure of the guest, which is an
    /// [`Exchange`].
    pub fn exchange(&self, request: Request<Vec<u8>>) -> Result<Exchange, HarnessError> {
        let (log, dispatch) = CapturedLog::new();
        let exchange = self.send(request);
        let run = || dispatcher::with_default(&dispatch, || block_on(exchange));
        let response = on_thread(run)???;
        // Only a request that hyper refuses is not an exchange.
        let outcome = log.outcome().unwrap_or(Outcome::Rejected);
        Ok(Exchange { response, outcome, log: log.lines() })
    }

    async fn send(&self, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, HarnessError> {
        let config = self.host.config();
        let limit =
            config.exchange_timeout.saturating_add(config.abort_grace).saturating_add(MARGIN);
        let addr = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let server = Server::bind(&self.host, self.guest.clone(), addr).await?;
        let (addr, handle) = (server.local_addr(), server.handle());
        let serving = tokio::spawn(server.run());
        let response = timeout(limit, client::send(addr, request)).await;
        handle.shutdown();
        // Ends by the limits of the host. A failure shows in the response.
        let _ = timeout(limit, serving).await;
        response.unwrap_or(Err(HarnessError::Endless(limit)))
    }
}

/// Builds the component of a cargo project, as `midge dev` does, and returns its path.
///
/// `project` is the folder of its `Cargo.toml`: in the tests of a project,
/// `env!("CARGO_MANIFEST_DIR")`. `profile` is a profile of cargo: `"dev"` builds fast, `"release"` is
/// for deployment. cargo writes to standard error, and rebuilds only what has changed.
///
/// # Errors
///
/// [`HostError::Build`] if there is no project, no toolchain for components, or cargo fails.
pub fn build(project: impl AsRef<Path>, profile: &str) -> Result<PathBuf, HostError> {
    let target = Target {
        path: project.as_ref().to_owned(),
        package: None,
        example: None,
        profile: profile.to_owned(),
    };
    Ok(on_thread(|| block_on(build::build(&target)))???)
}

/// Runs on a thread of its own: the caller may be in a runtime, which cannot block on another one.
fn on_thread<T: Send>(work: impl FnOnce() -> T + Send) -> Result<T, HostError> {
    let system = |source| HostError::System { what: "start a thread", source };
    thread::scope(|scope| {
        let thread = thread::Builder::new().spawn_scoped(scope, work).map_err(system)?;
        Ok(thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    })
}

fn block_on<T>(future: impl Future<Output = T>) -> Result<T, HostError> {
    let runtime = runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|source| HostError::System { what: "start a runtime", source })?;
    Ok(runtime.block_on(future))
}
