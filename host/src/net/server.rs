//! The server: accepts connections for a guest, and shuts down gracefully.

use std::{
    convert::Infallible, io, iter, net::SocketAddr, num::NonZero, sync::Arc, thread, time::Duration,
};

use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    sync::{mpsc, watch},
    time::{Instant, sleep, timeout},
};

use super::{
    allowed_hosts::AllowedHosts,
    connection::{self, ServerState},
    connections::{Connections, Place},
    open_files,
    supervisor::Phase,
    workers::{WorkerThreads, Workers},
};
use crate::{
    config::Config,
    error::HostError,
    runtime::{component::Guest, host::Host},
};

/// Clients that may wait to be accepted, if the system allows so many. With tokio's default of 128,
/// clients of a burst may have to retry after a second.
const BACKLOG: u32 = 4096;
/// Pause when the system has no descriptor for a new connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// How often failures to accept a connection are logged.
const FAILURE_INTERVAL: Duration = Duration::from_secs(60);
/// How long a server waits for its guests beyond their grace.
const EXIT_MARGIN: Duration = Duration::from_millis(500);

/// Serves a guest at an address.
#[derive(Debug)]
pub struct Server {
    host: Host,
    listener: TcpListener,
    addr: SocketAddr,
    handle: ServerHandle,
    workers: Workers,
    threads: WorkerThreads,
}

/// Controls a running [`Server`] from elsewhere.
#[derive(Clone, Debug)]
pub struct ServerHandle {
    guest: watch::Sender<Guest>,
    phase: watch::Sender<Phase>,
}

impl ServerHandle {
    /// Replaces the guest. Exchanges that run keep the guest they have.
    pub fn swap(&self, guest: Guest) {
        self.guest.send_replace(guest);
    }

    /// Shuts the server down: it accepts no more connections, and exchanges that run may finish within
    /// the time to drain.
    pub fn shutdown(&self) {
        self.phase.send_if_modified(|phase| {
            let is_serving = *phase == Phase::Serving;
            if is_serving {
                *phase = Phase::Draining;
            }
            is_serving
        });
    }
}

impl Server {
    /// Binds `addr`. Port 0 picks a free one, see [`Server::local_addr`].
    ///
    /// # Errors
    ///
    /// [`HostError::Bind`] if the address cannot be bound.
    pub async fn bind(host: &Host, guest: Guest, addr: SocketAddr) -> Result<Self, HostError> {
        let bind = |source| HostError::Bind { addr, source };
        let listener = listen(addr).map_err(bind)?;
        let addr = listener.local_addr().map_err(bind)?;
        let handle = ServerHandle {
            guest: watch::Sender::new(guest),
            phase: watch::Sender::new(Phase::Serving),
        };
        let (workers, threads) = Default::default();
        Ok(Self { host: host.clone(), listener, addr, handle, workers, threads })
    }

    /// Serves connections on threads of their own, as many as [`Config::threads`] says, instead of the
    /// runtime of the caller. The threads end when [`Server::run`] does, and log to the subscriber of the
    /// caller.
    ///
    /// # Errors
    ///
    /// [`HostError::System`] if the threads cannot be started.
    ///
    /// [`Config::threads`]: crate::Config::threads
    pub fn on_threads(mut self) -> Result<Self, HostError> {
        let threads = match self.host.config().threads {
            0 => thread::available_parallelism().map_or(1, NonZero::get),
            threads => threads as usize,
        };
        (self.workers, self.threads) = Workers::start(threads)
            .map_err(|source| HostError::System { what: "start the threads", source })?;
        Ok(self)
    }

    /// Returns the address, with the port that was picked.
    pub fn local_addr(&self) -> SocketAddr {
        self.addr
    }

    /// Returns a handle to replace the guest and to shut down.
    pub fn handle(&self) -> ServerHandle {
        self.handle.clone()
    }

    /// Serves until [`ServerHandle::shutdown`], and then until all exchanges have ended or the time to
    /// drain is over.
    ///
    /// Without [`Server::on_threads`] guests run in the runtime of the caller too: each may block a
    /// thread for up to 20 ms at a time.
    ///
    /// # Errors
    ///
    /// None at present: errors while serving concern one connection.
    pub async fn run(self) -> Result<(), HostError> {
        let Self { host, listener, addr, handle, workers, threads } = self;
        let config = host.config();
        warn_of_open_names(config, addr);
        let server = Arc::new(ServerState {
            allowed_hosts: AllowedHosts::new(addr, &config.allow_host),
            guest: handle.guest.subscribe(),
            http: connection::http(config, workers.clone()),
            host: Arc::clone(host.state()),
        });
        // Nothing is ever sent: the channel closes with the last exchange.
        let (alive, mut ended) = mpsc::channel::<Infallible>(1);
        serve(&server, listener, &workers, &alive, handle.phase.subscribe()).await;
        drop(alive);
        if timeout(config.drain, ended.recv()).await.is_err() {
            handle.phase.send_replace(Phase::Closing);
            // Guests that run to completion do not end by this; they end with their threads, or
            // with the process.
            let _ = timeout(config.abort_grace + EXIT_MARGIN, ended.recv()).await;
        }
        drop(threads);
        // The exchanges that are dropped with the threads write their lines.
        let _ = timeout(EXIT_MARGIN, ended.recv()).await;
        Ok(())
    }
}

/// Warns of a server on a public address that accepts every host name.
fn warn_of_open_names(config: &Config, addr: SocketAddr) {
    if config.allow_host.is_empty() && !addr.ip().to_canonical().is_loopback() {
        tracing::warn!(
            target: "midge::listen",
            %addr,
            "any host name is accepted here; `allow_host` names those that are meant"
        );
    }
}

/// Accepts connections and serves each in a task, until the server is to shut down.
async fn serve(
    server: &Arc<ServerState>,
    listener: TcpListener,
    workers: &Workers,
    alive: &mpsc::Sender<Infallible>,
    mut phase: watch::Receiver<Phase>,
) {
    // Connections act on changes only.
    if *phase.borrow() != Phase::Serving {
        phase.mark_changed();
    }
    let connections = Connections::new(open_files::max_connections(server.host.config()));
    let (mut failures, mut waiting) = (Failures::default(), None);
    let mut shutdown = phase.clone();
    let start = |((socket, addr), place): Accepted| {
        let (server, alive) = (Arc::clone(server), alive.clone());
        // A clone of the receiver that has seen `Serving` at most, so that any change since is seen.
        let phase = phase.clone();
        workers.spawn(async move {
            connection::serve(server, (socket, addr), place, alive, phase).await;
        });
    };
    loop {
        tokio::select! {
            biased;
            _ = shutdown.wait_for(|phase| *phase != Phase::Serving) => break,
            accepted = accept(&listener, &connections, &mut failures, &mut waiting) => {
                start(accepted);
            }
        }
    }
    let waiting = waiting.and_then(|client| Some((client, connections.try_take_place()?)));
    waiting.into_iter().chain(backlog(listener, &connections)).for_each(start);
}

/// Accepts the clients that are connected already: closing the listener would reset them.
fn backlog(
    listener: TcpListener,
    connections: &Arc<Connections>,
) -> impl Iterator<Item = Accepted> {
    let listener = listener.into_std().ok();
    let accept = move || {
        let place = connections.try_take_place()?;
        loop {
            let accepted = listener.as_ref()?.accept().and_then(|(socket, addr)| {
                socket.set_nonblocking(true)?;
                socket.set_nodelay(true)?;
                Ok((socket, addr))
            });
            match accepted {
                Ok(client) => return Some((client, place)),
                Err(error) if is_client_error(&error) => {}
                Err(_) => return None,
            }
        }
    };
    iter::from_fn(accept).take(BACKLOG as usize)
}

fn listen(addr: SocketAddr) -> io::Result<TcpListener> {
    let socket = if addr.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // Allows a restart right away. On Windows it would let two servers share a port.
    if cfg!(unix) {
        socket.set_reuseaddr(true)?;
    }
    socket.bind(addr)?;
    socket.listen(BACKLOG)
}

/// A connection, and its place.
type Accepted = (Client, Place);
type Client = (std::net::TcpStream, SocketAddr);

/// Waits for a client, then for a place for it. Meanwhile the client is in `waiting`, which outlives
/// this future.
async fn accept(
    listener: &TcpListener,
    connections: &Arc<Connections>,
    failures: &mut Failures,
    waiting: &mut Option<Client>,
) -> Accepted {
    loop {
        if waiting.is_some() {
            let place = connections.take_place().await;
            if let Some(client) = waiting.take() {
                return (client, place);
            }
        }
        match listener.accept().await.and_then(prepare) {
            Ok(client) => *waiting = Some(client),
            Err(error) if is_client_error(&error) => {}
            Err(error) => {
                failures.log(&error);
                // It may be that there are too many open files.
                connections.evict_longest_idle();
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Failures to accept a connection, which are logged once in a while.
#[derive(Default)]
struct Failures {
    logged: Option<Instant>,
    since: u64,
}

impl Failures {
    fn log(&mut self, error: &io::Error) {
        self.since += 1;
        if self.logged.is_none_or(|logged| logged.elapsed() > FAILURE_INTERVAL) {
            let failures = std::mem::take(&mut self.since);
            tracing::warn!(target: "midge::listen", %error, failures, "cannot accept a connection");
            self.logged = Some(Instant::now());
        }
    }
}

/// Prepares a socket for the runtime that serves it, which may be another one. Small writes of an event
/// stream must not wait for acknowledgements.
fn prepare(
    (socket, addr): (TcpStream, SocketAddr),
) -> io::Result<(std::net::TcpStream, SocketAddr)> {
    socket.set_nodelay(true)?;
    Ok((socket.into_std()?, addr))
}

fn is_client_error(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::InvalidInput
            | io::ErrorKind::NotConnected
    )
}
