//! A legacy server that is correct, or fails in one particular way.

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

/// How a server behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Behavior {
    /// Correctly.
    Correct,
    /// Exits at the first truncated body.
    Dies,
    /// Responds to nothing after the first truncated body.
    Hangs,
    /// Responds with the id of another request after the first truncated body.
    ConfusesResponses,
    /// Responds 404 to every request.
    NotMcp,
    /// Sends bytes that are not HTTP.
    NotHttp,
    /// Sends a response head that does not end.
    EndlessHead,
    /// Accepts connections and sends nothing.
    Silent,
}

/// Server on a port of the loopback interface. Stops when it is dropped.
pub(crate) struct FakeServer {
    addr: SocketAddr,
    task: JoinHandle<()>,
}

impl FakeServer {
    pub(crate) async fn start(behavior: Behavior) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let addr = listener.local_addr().expect("it is bound");
        let task = tokio::spawn(accept(listener, behavior));
        Self { addr, task }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/mcp", self.addr)
    }
}

impl Drop for FakeServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, behavior: Behavior) {
    let has_failed = Arc::new(AtomicBool::new(false));
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let (stream, _) = accepted.expect("connections come in");
                connections.spawn(serve(stream, behavior, Arc::clone(&has_failed)));
            }
            // One failed connection stops the whole server.
            Some(ended) = connections.join_next() => {
                if behavior == Behavior::Dies && ended.is_ok_and(|has_failed| has_failed) {
                    return;
                }
            }
        }
    }
}

/// Serves a connection, and returns whether a body was truncated.
async fn serve(mut stream: TcpStream, behavior: Behavior, has_failed: Arc<AtomicBool>) -> bool {
    match behavior {
        Behavior::NotHttp => drop(stream.write_all(b"220 mail.example.com ESMTP\r\n").await),
        Behavior::EndlessHead => while stream.write_all(&[b'x'; 4096]).await.is_ok() {},
        Behavior::Silent => while stream.read(&mut [0; 4096]).await.is_ok_and(|read| read > 0) {},
        _ => {
            let service = service_fn(|request| respond(request, behavior, &has_failed));
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        }
    }
    has_failed.load(Ordering::SeqCst)
}

async fn respond(
    request: Request<Incoming>,
    behavior: Behavior,
    has_failed: &AtomicBool,
) -> Result<Response<Full<Bytes>>, Infallible> {
    if behavior == Behavior::NotMcp {
        return Ok(response(StatusCode::NOT_FOUND, &json!("nothing here")));
    }
    let has_session = request.headers().contains_key("mcp-session-id");
    let Ok(body) = request.into_body().collect().await else {
        has_failed.store(true, Ordering::SeqCst);
        return Ok(response(StatusCode::BAD_REQUEST, &json!(null)));
    };
    let message: Value = serde_json::from_slice(&body.to_bytes()).unwrap_or_default();
    match (behavior, has_failed.load(Ordering::SeqCst)) {
        (Behavior::Hangs, true) => std::future::pending().await,
        (Behavior::ConfusesResponses, true) => Ok(result(&json!("another"), &json!({"tools": []}))),
        _ => Ok(respond_to(&message, has_session)),
    }
}

/// Responds as a legacy server with sessions does.
fn respond_to(message: &Value, has_session: bool) -> Response<Full<Bytes>> {
    let id = &message["id"];
    match message["method"].as_str() {
        Some("initialize") => {
            let info = json!({"name": "fake", "version": "1"});
            let mut response = result(
                id,
                &json!({"protocolVersion": "2025-11-25", "capabilities": {}, "serverInfo": info}),
            );
            let session = "a-session".parse().expect("a header's value");
            response.headers_mut().insert("mcp-session-id", session);
            response
        }
        _ if !has_session => response(StatusCode::BAD_REQUEST, &json!("no session")),
        Some("notifications/initialized") => response(StatusCode::ACCEPTED, &json!(null)),
        Some("ping") => result(id, &json!({})),
        _ => {
            let error = json!({"code": -32601, "message": "no such method"});
            response(StatusCode::OK, &json!({"jsonrpc": "2.0", "id": id, "error": error}))
        }
    }
}

fn result(id: &Value, result: &Value) -> Response<Full<Bytes>> {
    response(StatusCode::OK, &json!({"jsonrpc": "2.0", "id": id, "result": result}))
}

fn response(status: StatusCode, body: &Value) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(body.to_string()));
    *response.status_mut() = status;
    let json = "application/json".parse().expect("a header's value");
    response.headers_mut().insert("content-type", json);
    response
}
