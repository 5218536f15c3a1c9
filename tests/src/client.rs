//! Ordinary clients, which do as HTTP says.

use std::{io, net::SocketAddr};

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, Response};
use http_body_util::{
    BodyExt, Full,
    channel::{Channel, Sender},
};
use hyper::{
    body::{Frame, Incoming},
    client::conn::{http1, http2},
};
use hyper_util::rt::{TokioExecutor, TokioIo};
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
    let answer = Answer::read(response.expect("there is a response")).await;
    drop(sender);
    soon("the connection's end", connection).await.expect("the connection ends");
    answer
}

/// The request of a message, for clients of HTTP/1.1.
pub fn request(message: &Message) -> Request<Full<Bytes>> {
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

impl Answer {
    /// Reads a response to its end.
    pub async fn read(response: Response<Incoming>) -> Self {
        let (head, mut incoming) = response.into_parts();
        let (mut body, mut complete) = (Vec::new(), true);
        while let Some(frame) = soon("more of the answer", incoming.frame()).await {
            match frame {
                Ok(frame) => body.extend_from_slice(&frame.into_data().unwrap_or_default()),
                Err(_) => complete = false,
            }
        }
        Self { status: head.status, headers: head.headers, body, complete }
    }
}

/// A connection of HTTP/2 without TLS.
#[derive(Clone, Debug)]
pub struct Http2 {
    sender: http2::SendRequest<Channel<Bytes, io::Error>>,
}

impl Http2 {
    /// Connects.
    pub async fn connect(addr: SocketAddr) -> Self {
        let stream = soon("connect", TcpStream::connect(addr)).await.expect("the server accepts");
        let (sender, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
            .await
            .expect("a connection is ready");
        // What goes wrong is seen in the responses.
        tokio::spawn(async { drop(connection.await) });
        Self { sender }
    }

    /// Sends a message and waits for the head of the answer. Dropping either resets the stream.
    pub async fn send(&self, message: &Message) -> Response<Incoming> {
        let (end, response) = self.begin(message, &message.body);
        drop(end);
        response.await
    }

    /// Begins to send a message: its body may go on, until its sender is dropped.
    pub fn begin(
        &self,
        message: &Message,
        part: &[u8],
    ) -> (Sender<Bytes, io::Error>, impl Future<Output = Response<Incoming>> + use<>) {
        let (mut sender, body) = Channel::new(1);
        sender.try_send(Frame::data(Bytes::copy_from_slice(part))).expect("there is room");
        let mut request = request(message).map(|_| body);
        let uri = format!("http://localhost{}", message.path);
        *request.uri_mut() = uri.parse().expect("a URI");
        request.headers_mut().remove("host");
        let response = self.sender.clone().send_request(request);
        (sender, async { soon("a head", response).await.expect("there is a response") })
    }
}
