//! One client connection and the exchanges on it.

use std::{convert::Infallible, pin::pin, sync::Arc};

use http::{Request, Response, header};
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
    allowed_hosts::Names,
    socket::Tracked,
    supervisor::{Phase, Step, Watching},
    workers::Workers,
};
use crate::{
    config::Config,
    exchange::{self, response_body::ResponseBody},
    runtime::{component::Guest, host_state::HostState},
    telemetry::{in_flight::InFlightGuard, liveness::Pulse},
};

/// What the connections of a server have in common.
pub(crate) struct Shared {
    pub(crate) host: Arc<HostState>,
    pub(crate) names: Names,
    pub(crate) guest: watch::Receiver<Guest>,
    pub(crate) http: auto::Builder<Workers>,
}

/// HTTP/1.1 and HTTP/2 (without TLS) on the same port, within the limits of `config`.
pub(crate) fn protocols(config: &Config, workers: Workers) -> auto::Builder<Workers> {
    let max_head = usize::try_from(config.max_head).unwrap_or(usize::MAX);
    let max_head_h2 = u32::try_from(config.max_head).unwrap_or(u32::MAX);
    let mut builder = auto::Builder::new(workers);
    builder
        .http1()
        .timer(TokioTimer::new())
        // The pulse tells a late head from an idle connection; hyper's own timer does not.
        .header_read_timeout(None)
        .max_buf_size(max_head)
        .max_headers(config.max_headers as usize);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(max_head_h2)
        .keep_alive_interval(config.write_timeout)
        .keep_alive_timeout(config.write_timeout);
    builder
}

/// Serves a connection to its end.
pub(crate) async fn serve(
    shared: Arc<Shared>,
    socket: std::net::TcpStream,
    server: mpsc::Sender<Infallible>,
    phase: watch::Receiver<Phase>,
) {
    let _counted = shared.host.count_socket();
    let pulse = Pulse::new();
    let socket = match TcpStream::from_std(socket) {
        Ok(socket) => Arc::new(socket),
        Err(error) => {
            tracing::warn!(target: "midge::connection", %error, "cannot watch a connection");
            return;
        }
    };
    let io = TokioIo::new(Tracked::new(Arc::clone(&socket), Arc::clone(&pulse)));
    let service = service_fn(|request| answer(&shared, &pulse, request, &server));
    let mut connection = pin!(shared.http.serve_connection(io, service));
    let mut watching = Watching::new(&pulse, &socket, shared.host.config(), phase);
    loop {
        tokio::select! {
            // First, as long as the task may still poll: it is nothing unless it was woken.
            biased;
            step = watching.step() => match step {
                Step::Drain => connection.as_mut().graceful_shutdown(),
                Step::End => return,
            },
            result = connection.as_mut() => {
                // A client that leaves is the exchange's to report, not the connection's.
                if let Err(error) = result {
                    tracing::debug!(target: "midge::connection", error, "closed");
                }
                return;
            }
        }
    }
}

fn answer(
    shared: &Shared,
    pulse: &Arc<Pulse>,
    request: Request<Incoming>,
    server: &mpsc::Sender<Infallible>,
) -> impl Future<Output = Result<Response<ResponseBody>, Infallible>> + Send + use<> {
    let refused = shared.names.refuse(&request);
    let guest = shared.guest.borrow().clone();
    let exchange =
        exchange::begin(&shared.host, guest, refused, request, InFlightGuard::new(pulse, server));
    let pulse = Arc::clone(pulse);
    async move {
        let response = exchange.await;
        if response.headers().contains_key(header::CONNECTION) {
            pulse.linger();
        }
        Ok(response)
    }
}
