//! Servers that are bad on purpose, and one that is not.

use std::{
    convert::Infallible,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::{JoinHandle, JoinSet},
};

/// What a server is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Temper {
    /// Nothing to complain of.
    Sane,
    /// Ends with the first truncated body.
    Dies,
    /// Answers nobody after the first truncated body.
    Hangs,
    /// Answers something else after the first truncated body.
    Confused,
    /// Answers 404 to everything.
    NotMcp,
    /// Answers no HTTP.
    Noise,
    /// Answers with a head that does not end.
    Flood,
    /// Accepts, and says nothing.
    Mute,
}

/// A server, ended when it is dropped.
pub(super) struct Double {
    addr: SocketAddr,
    task: JoinHandle<()>,
}

impl Double {
    pub(super) async fn serve(temper: Temper) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let addr = listener.local_addr().expect("it is bound");
        let task = tokio::spawn(accept(listener, temper));
        Self { addr, task }
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}/mcp", self.addr)
    }
}

impl Drop for Double {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, temper: Temper) {
    let spoilt = Arc::new(AtomicBool::new(false));
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let (stream, _) = accepted.expect("connections come in");
                connections.spawn(serve(stream, temper, Arc::clone(&spoilt)));
            }
            // All of it ends with the first one that goes bad.
            Some(ended) = connections.join_next() => {
                if temper == Temper::Dies && ended.is_ok_and(|has_had_enough| has_had_enough) {
                    return;
                }
            }
        }
    }
}

/// Serves a connection, and says whether the server has had enough.
async fn serve(mut stream: TcpStream, temper: Temper, spoilt: Arc<AtomicBool>) -> bool {
    match temper {
        Temper::Noise => drop(stream.write_all(b"220 mail.example.com ESMTP\r\n").await),
        Temper::Flood => while stream.write_all(&[b'x'; 4096]).await.is_ok() {},
        Temper::Mute => while stream.read(&mut [0; 4096]).await.is_ok_and(|read| read > 0) {},
        _ => {
            let service = service_fn(|request| answer(request, temper, &spoilt));
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        }
    }
    spoilt.load(Ordering::SeqCst)
}

async fn answer(
    request: Request<Incoming>,
    temper: Temper,
    spoilt: &AtomicBool,
) -> Result<Response<Full<Bytes>>, Infallible> {
    if temper == Temper::NotMcp {
        return Ok(respond(StatusCode::NOT_FOUND, &json!("nothing here")));
    }
    let has_session = request.headers().contains_key("mcp-session-id");
    let Ok(body) = request.into_body().collect().await else {
        spoilt.store(true, Ordering::SeqCst);
        return Ok(respond(StatusCode::BAD_REQUEST, &json!(null)));
    };
    let message: Value = serde_json::from_slice(&body.to_bytes()).unwrap_or_default();
    match (temper, spoilt.load(Ordering::SeqCst)) {
        (Temper::Hangs, true) => std::future::pending().await,
        (Temper::Confused, true) => Ok(result(&json!("another"), &json!({"tools": []}))),
        _ => Ok(of(&message, has_session)),
    }
}

/// What a legacy server with sessions says.
fn of(message: &Value, has_session: bool) -> Response<Full<Bytes>> {
    let id = &message["id"];
    match message["method"].as_str() {
        Some("initialize") => {
            let info = json!({"name": "double", "version": "1"});
            let mut response = result(
                id,
                &json!({"protocolVersion": "2025-11-25", "capabilities": {}, "serverInfo": info}),
            );
            let session = "a-session".parse().expect("a header's value");
            response.headers_mut().insert("mcp-session-id", session);
            response
        }
        _ if !has_session => respond(StatusCode::BAD_REQUEST, &json!("no session")),
        Some("notifications/initialized") => respond(StatusCode::ACCEPTED, &json!(null)),
        Some("ping") => result(id, &json!({})),
        _ => {
            let error = json!({"code": -32601, "message": "no such method"});
            respond(StatusCode::OK, &json!({"jsonrpc": "2.0", "id": id, "error": error}))
        }
    }
}

fn result(id: &Value, result: &Value) -> Response<Full<Bytes>> {
    respond(StatusCode::OK, &json!({"jsonrpc": "2.0", "id": id, "result": result}))
}

fn respond(status: StatusCode, body: &Value) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(body.to_string()));
    *response.status_mut() = status;
    let json = "application/json".parse().expect("a header's value");
    response.headers_mut().insert("content-type", json);
    response
}
