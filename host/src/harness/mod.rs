//! Components in tests: built, loaded, and called.

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
use self::log::Log;
use crate::{
    build::{self, Target},
    config::Config,
    contract::Outcome,
    error::HostError,
    net::server::Server,
    runtime::{component::Guest, host::Host},
    sealing,
};

/// A host reserves address space for each exchange, and a test has a host for each harness.
const MAX_EXCHANGES: u32 = 16;
/// What an exchange takes beyond the limits of the host: connecting, sending, letting go.
const MARGIN: Duration = Duration::from_secs(30);

/// A component under test, in a host of its own.
///
/// Each exchange goes over a loopback socket on a port of its own, as it would with
/// `midge serve`: same limits, same log, and an instance that lives no longer. Exchanges on several
/// threads do not disturb each other. Nothing here is async: it works in every kind of test.
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

/// An exchange that is over: the answer was read to its end, deferred work is done, and the
/// instance is gone.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Exchange {
    /// The answer as its client has it, all of a stream included. One that was cut is what came
    /// of it; `outcome` tells.
    pub response: Response<Vec<u8>>,
    /// How it ended.
    pub outcome: Outcome,
    /// What `midge serve` would have logged: what the guest has printed, and the line of the
    /// exchange with its cause.
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

    /// Loads a component into a host with limits and grants of your own. The address is not
    /// used, nor is the time to drain.
    ///
    /// # Errors
    ///
    /// As [`Host::new`] and [`Host::load`].
    pub fn with_config(component: impl AsRef<Path>, mut config: Config) -> Result<Self, HostError> {
        sealing::grant_development_key(&mut config)?;
        // No exchange lasts longer, so each is waited for to its end.
        config.drain = config.exchange_timeout;
        let host = Host::new(config)?;
        let guest = host.load(component)?;
        Ok(Self { host, guest })
    }

    /// Sends a request, reads the answer to its end, and waits for the end of the exchange.
    ///
    /// Of the URI the path is used, and its authority for a request without a `Host` header. It
    /// ends within the limits of the configuration, whatever the guest does.
    ///
    /// # Errors
    ///
    /// When there is no answer at all. What the guest does wrong is answered by the host, and is an
    /// [`Exchange`].
    pub fn exchange(&self, request: Request<Vec<u8>>) -> Result<Exchange, HarnessError> {
        let (log, dispatch) = Log::new();
        let exchange = self.answer(request);
        let run = || dispatcher::with_default(&dispatch, || block_on(exchange));
        let response = apart(run)???;
        // Only what is no HTTP is refused without an exchange.
        let outcome = log.outcome().unwrap_or(Outcome::Rejected);
        Ok(Exchange { response, outcome, log: log.lines() })
    }

    async fn answer(&self, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, HarnessError> {
        let config = self.host.config();
        let limit =
            config.exchange_timeout.saturating_add(config.abort_grace).saturating_add(MARGIN);
        let addr = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let server = Server::bind(&self.host, self.guest.clone(), addr).await?;
        let (addr, handle) = (server.local_addr(), server.handle());
        let serving = tokio::spawn(server.run());
        let answer = timeout(limit, client::send(addr, request)).await;
        handle.shutdown();
        // It ends by the limits of the host; that it went wrong is seen in the answer.
        let _ = timeout(limit, serving).await;
        answer.unwrap_or(Err(HarnessError::Endless(limit)))
    }
}

/// Builds the component of a cargo project, as `midge dev` does, and says where it is.
///
/// `project` is the folder of its `Cargo.toml`, in a project's own tests
/// `env!("CARGO_MANIFEST_DIR")`. `profile` is cargo's: `"dev"` is quick, `"release"` is what is
/// deployed. What cargo has to say goes to standard error; what is built already is not built again.
///
/// # Errors
///
/// [`HostError::Build`] when there is no project, no toolchain for components, or cargo fails.
pub fn build(project: impl AsRef<Path>, profile: &str) -> Result<PathBuf, HostError> {
    let target = Target {
        path: project.as_ref().to_owned(),
        package: None,
        example: None,
        profile: profile.to_owned(),
    };
    let built = apart(|| block_on(build::build(&target)))??;
    Ok(built?.component)
}

/// Runs on a thread of its own, since the caller may be in a runtime, where no other may be waited
/// for.
fn apart<T: Send>(work: impl FnOnce() -> T + Send) -> Result<T, HostError> {
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
