//! An ordinary client, which does as HTTP says.

use std::net::SocketAddr;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, client::conn::http1};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::{Answer, Message, soon};

/// Sends a message on a connection of its own and reads the answer to its end.
pub async fn send(addr: SocketAddr, message: &Message) -> Answer {
    let stream = soon("connect", TcpStream::connect(addr)).await.expect("the server accepts");
    let (mut sender, connection) =
        http1::handshake(TokioIo::new(stream)).await.expect("a connection is ready");
    // What goes wrong is seen in the response.
    let connection = tokio::spawn(async { drop(connection.await) });
    let response = soon("an answer", sender.send_request(request(message))).await;
    let answer = read(response.expect("there is a response")).await;
    drop(sender);
    soon("the connection's end", connection).await.expect("the connection ends");
    answer
}

fn request(message: &Message) -> Request<Full<Bytes>> {
    let mut request = Request::new(Full::from(message.body.clone()));
    *request.method_mut() = message.verb.parse().expect("a method");
    *request.uri_mut() = message.path.parse().expect("a path");
    request.headers_mut().insert("host", HeaderValue::from_static("localhost"));
    for (name, value) in &message.headers {
        let name: HeaderName = name.parse().expect("a header's name");
        let value = HeaderValue::from_bytes(value.as_bytes()).expect("a header's value");
        request.headers_mut().append(name, value);
    }
    request
}

async fn read(response: Response<Incoming>) -> Answer {
    let (head, mut incoming) = response.into_parts();
    let (mut body, mut complete) = (Vec::new(), true);
    while let Some(frame) = soon("more of the answer", incoming.frame()).await {
        match frame {
            Ok(frame) => body.extend_from_slice(&frame.into_data().unwrap_or_default()),
            Err(_) => complete = false,
        }
    }
    Answer { status: head.status, headers: head.headers, body, complete }
}
