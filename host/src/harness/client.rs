//! A plain HTTP client: one request on a connection of its own.

use std::net::SocketAddr;

use bytes::Bytes;
use http::{HeaderValue, Request, Response, header, uri::PathAndQuery};
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, client::conn::http1};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::error::HarnessError;

/// Sends a request and reads the response to its end.
pub(super) async fn send(
    addr: SocketAddr,
    request: Request<Vec<u8>>,
) -> Result<Response<Vec<u8>>, HarnessError> {
    let stream = TcpStream::connect(addr).await.map_err(HarnessError::Connect)?;
    let (mut sender, connection) =
        http1::handshake(TokioIo::new(stream)).await.map_err(no_response)?;
    // Errors of the connection show in the response.
    tokio::spawn(async { drop(connection.await) });
    let response = sender.send_request(to_origin(request)).await.map_err(no_response)?;
    Ok(read(response).await)
}

fn no_response(error: hyper::Error) -> HarnessError {
    HarnessError::NoAnswer(error.into())
}

/// Converts a request to origin form: a path, and a `Host` header.
fn to_origin(request: Request<Vec<u8>>) -> Request<Full<Bytes>> {
    let mut request = request.map(Full::from);
    if !request.headers().contains_key(header::HOST) {
        let authority =
            request.uri().authority().map_or("localhost", |authority| authority.as_str());
        // Every character of an authority is valid in a header.
        if let Ok(host) = HeaderValue::from_str(authority) {
            request.headers_mut().insert(header::HOST, host);
        }
    }
    let path = request.uri().path_and_query().cloned();
    *request.uri_mut() = path.unwrap_or(PathAndQuery::from_static("/")).into();
    request
}

/// Reads as much of the response as arrives. The log says why it was cut.
async fn read(response: Response<Incoming>) -> Response<Vec<u8>> {
    let (head, mut incoming) = response.into_parts();
    let mut body = Vec::new();
    while let Some(Ok(frame)) = incoming.frame().await {
        body.extend_from_slice(&frame.into_data().unwrap_or_default());
    }
    Response::from_parts(head, body)
}
