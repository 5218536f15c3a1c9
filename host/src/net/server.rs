//! A socket, a guest behind it, and a graceful end.

use std::{
    convert::Infallible, io, net::SocketAddr, num::NonZero, sync::Arc, thread, time::Duration,
};

use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch},
    time::{sleep, timeout},
};

use super::{
    allowed_hosts::Names,
    connection::{self, Shared},
    supervisor::Phase,
    workers::{Threads, Workers},
};
use crate::{
    error::HostError,
    runtime::{component::Guest, host::Host},
};

/// Clients that may wait to be accepted, if the system allows as many. tokio has 128: of more that
/// come at once, some are let in only a second later, when their system tries again.
const BACKLOG: u32 = 4096;
/// How long to wait when the system has no descriptor for a new connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// How long the guests of a server that is over have beyond their grace.
const LAST_MOMENT: Duration = Duration::from_millis(500);

/// Serves a guest at an address.
#[derive(Debug)]
pub struct Server {
    host: Host,
    listener: TcpListener,
    addr: SocketAddr,
    handle: ServerHandle,
    workers: Workers,
    threads: Threads,
}

/// Controls a running [`Server`] from elsewhere.
#[derive(Clone, Debug)]
pub struct ServerHandle {
    guest: watch::Sender<Guest>,
    phase: watch::Sender<Phase>,
}

impl ServerHandle {
    /// Has new exchanges served by `guest`. Those at work keep the guest they have.
    pub fn swap(&self, guest: Guest) {
        self.guest.send_replace(guest);
    }

    /// Ends the server: no new connection, and what is at work has the time to drain.
    pub fn shutdown(&self) {
        self.phase.send_if_modified(|phase| {
            let begins = *phase == Phase::Serving;
            if begins {
                *phase = Phase::Draining;
            }
            begins
        });
    }
}

impl Server {
    /// Binds `addr`. Port 0 picks a free one, see [`Server::local_addr`].
    ///
    /// # Errors
    ///
    /// [`HostError::Bind`] when the address is not to be had.
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

    /// Has connections served on threads of their own, as many as [`Config::threads`] says, and not
    /// in the caller's runtime. The threads are told to end when [`Server::run`] does, and log where
    /// the caller does.
    ///
    /// # Errors
    ///
    /// [`HostError::System`] when the system has no more threads.
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

    /// The address, with the port that was picked.
    pub fn local_addr(&self) -> SocketAddr {
        self.addr
    }

    /// A handle to swap the guest and to shut down.
    pub fn handle(&self) -> ServerHandle {
        self.handle.clone()
    }

    /// Serves until [`ServerHandle::shutdown`], and then until all is drained or the time for that
    /// is over.
    ///
    /// Without [`Server::on_threads`] this is also where guests run: each may keep a thread of the
    /// caller's runtime for up to 20 ms at a time.
    ///
    /// # Errors
    ///
    /// None at present: what can go wrong while serving concerns one connection.
    pub async fn run(self) -> Result<(), HostError> {
        let Self { host, listener, addr, handle, workers, threads } = self;
        let config = host.config();
        if config.allow_host.is_empty() && !addr.ip().to_canonical().is_loopback() {
            tracing::warn!(
                target: "midge::listen",
                %addr,
                "any host name is accepted here; `allow_host` names those that are meant"
            );
        }
        let places = Arc::new(Semaphore::new(config.max_connections as usize));
        let shared = Arc::new(Shared {
            names: Names::new(addr, &config.allow_host),
            guest: handle.guest.subscribe(),
            http: connection::protocols(config, workers.clone()),
            host: Arc::clone(host.state()),
        });
        // Nothing is ever sent: when the last sender is gone, so is the last exchange.
        let (alive, mut ended) = mpsc::channel::<Infallible>(1);
        let mut phase = handle.phase.subscribe();
        loop {
            let (socket, place) = tokio::select! {
                biased;
                _ = phase.wait_for(|phase| *phase != Phase::Serving) => break,
                accepted = accept(&listener, &places) => accepted,
            };
            let (shared, alive) = (Arc::clone(&shared), alive.clone());
            // What this loop has seen, so that a change since then is news.
            let phase = phase.clone();
            workers.spawn(async move {
                connection::serve(shared, socket, alive, phase).await;
                drop(place);
            });
        }
        drop((listener, alive));
        if timeout(config.drain, ended.recv()).await.is_err() {
            handle.phase.send_replace(Phase::Over);
            // Guests that run to completion do not end by this; they end with their threads, or
            // with the process.
            let _ = timeout(config.abort_grace + LAST_MOMENT, ended.recv()).await;
        }
        drop(threads);
        Ok(())
    }
}

fn listen(addr: SocketAddr) -> io::Result<TcpListener> {
    let socket = if addr.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // A server that was just ended may be started again. Elsewhere it would let two share a port.
    if cfg!(unix) {
        socket.set_reuseaddr(true)?;
    }
    socket.bind(addr)?;
    socket.listen(BACKLOG)
}

/// Waits for a place, then for a client.
async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> (std::net::TcpStream, Option<OwnedSemaphorePermit>) {
    // The semaphore is never closed.
    let place = Arc::clone(places).acquire_owned().await.ok();
    loop {
        match listener.accept().await.and_then(prepared) {
            Ok(socket) => return (socket, place),
            Err(error) if is_of_one_client(&error) => {}
            Err(error) => {
                tracing::warn!(target: "midge::listen", %error, "cannot accept a connection");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// The small writes of an event stream must not wait for acknowledgements. The runtime that serves
/// the socket may be another.
fn prepared((socket, _): (TcpStream, SocketAddr)) -> io::Result<std::net::TcpStream> {
    socket.set_nodelay(true)?;
    socket.into_std()
}

fn is_of_one_client(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::InvalidInput
            | io::ErrorKind::NotConnected
    )
}
