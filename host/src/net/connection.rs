//! One client connection, and the exchanges on it.

use std::{convert::Infallible, net::SocketAddr, pin::pin, sync::Arc};

use http::{HeaderValue, Request, Response, Version, header};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::conn::auto,
};
use tokio::{
    net::TcpStream,
    sync::{mpsc, watch},
};

use super::{
    allowed_hosts::AllowedHosts,
    connections::Place,
    socket::TrackedSocket,
    supervisor::{Action, Phase, Supervisor},
    workers::Workers,
};
use crate::{
    config::Config,
    exchange::{self, response_body::ResponseBody},
    runtime::{admission::Peer, component::Guest, host_state::HostState},
    telemetry::{in_flight::InFlightGuard, liveness::Liveness},
};

/// What the connections of a server share.
pub(super) struct ServerState {
    pub(super) host: Arc<HostState>,
    pub(super) allowed_hosts: AllowedHosts,
    pub(super) guest: watch::Receiver<Guest>,
    pub(super) http: auto::Builder<Workers>,
}

/// Most streams of an HTTP/2 connection, which are hyper's default.
const MAX_STREAMS: u32 = 200;

/// Builds the server side of HTTP/1.1 and HTTP/2 (without TLS) on one port, within the limits of
/// `config`.
pub(super) fn http(config: &Config, workers: Workers) -> auto::Builder<Workers> {
    let max_head = usize::try_from(config.max_head).unwrap_or(usize::MAX);
    let max_head_h2 = u32::try_from(config.max_head).unwrap_or(u32::MAX);
    let mut builder = auto::Builder::new(workers);
    builder
        .http1()
        .timer(TokioTimer::new())
        // `Liveness` tells a late head from an idle connection; hyper's own timer does not.
        .header_read_timeout(None)
        .max_buf_size(max_head)
        .max_headers(config.max_header_count as usize);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams((config.max_exchanges / 4).clamp(1, MAX_STREAMS))
        .max_header_list_size(max_head_h2)
        .keep_alive_interval(config.write_timeout)
        .keep_alive_timeout(config.write_timeout);
    builder
}

/// Serves a connection until it is closed.
pub(super) async fn serve(
    server: Arc<ServerState>,
    (socket, addr): (std::net::TcpStream, SocketAddr),
    place: Place,
    alive: mpsc::Sender<Infallible>,
    phase: watch::Receiver<Phase>,
) {
    let _gauge = server.host.count_socket();
    let Place { liveness, evicted, .. } = &place;
    let peer = server.host.admission().peer(addr.ip());
    let socket = match TcpStream::from_std(socket) {
        Ok(socket) => Arc::new(socket),
        Err(error) => {
            tracing::warn!(target: "midge::connection", %error, "cannot poll a connection");
            return;
        }
    };
    let io = TokioIo::new(TrackedSocket::new(Arc::clone(&socket), Arc::clone(liveness)));
    let service = service_fn(|request| respond(&server, &peer, liveness, request, &alive));
    let mut connection = pin!(server.http.serve_connection(io, service));
    let mut supervisor = Supervisor::new(liveness, &socket, server.host.config(), phase, evicted);
    loop {
        tokio::select! {
            // First, while the task may still poll; it costs nothing unless it was woken.
            biased;
            action = supervisor.next() => match action {
                Action::Drain => connection.as_mut().graceful_shutdown(),
                Action::Close => return,
            },
            result = connection.as_mut() => {
                // A client that disconnects is logged by its exchange.
                if let Err(error) = result {
                    tracing::debug!(target: "midge::connection", error, "closed");
                }
                return;
            }
        }
    }
}

fn respond(
    server: &ServerState,
    peer: &Arc<Peer>,
    liveness: &Arc<Liveness>,
    request: Request<Incoming>,
    alive: &mpsc::Sender<Infallible>,
) -> impl Future<Output = Result<Response<ResponseBody>, Infallible>> + Send + use<> {
    let refused = server.allowed_hosts.check(&request).err();
    let is_http2 = request.version() == Version::HTTP_2;
    let guest = server.guest.borrow().clone();
    let in_flight = InFlightGuard::new(liveness, alive);
    let exchange = exchange::begin(&server.host, peer, guest, refused, request, in_flight);
    let liveness = Arc::clone(liveness);
    async move {
        let mut response = exchange.await;
        // HTTP/2 has a frame for that.
        if liveness.is_draining() && !is_http2 {
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        if response.headers().contains_key(header::CONNECTION) {
            liveness.linger();
        }
        Ok(response)
    }
}
