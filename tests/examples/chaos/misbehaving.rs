//! Clients that do what they should not. What they receive is not checked.

use std::{net::Ipv4Addr, sync::Arc, time::Duration};

use fastrand::Rng;
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use midge_tests::{Message, Wire, request};
use serde_json::json;
use tokio::{io::AsyncWriteExt, task::JoinSet, time::sleep};

use crate::{World, abort::Abort, good::connect_from};

/// Connections that are opened at once for nothing.
const CONNECTIONS: usize = 100;
/// Responses of one connection that are not received.
const STREAMS: usize = 4;

/// Aborts exchanges at random points.
pub(crate) async fn abort(world: Arc<World>, mut rng: Rng) {
    while !world.is_over() {
        let (abort, addr) = (Abort::random(&mut rng), world.addr);
        let kind = abort.kind();
        // It panics where it is refused.
        let done = tokio::spawn(async move { abort.run(Wire::connect(addr).await).await }).await;
        if done.is_ok() {
            *world.tallies.lock().aborted.entry(kind).or_default() += 1;
        }
    }
}

/// Sends a head or a body byte by byte, for longer than the host waits, and some to their end.
pub(crate) async fn send_slowly(world: Arc<World>, mut rng: Rng) {
    while !world.is_over() {
        let message = Message::call("sized", json!({ "bytes": 10 }));
        let bytes = message.bytes();
        let begin = if rng.bool() { 0 } else { bytes.len() - message.body.len() };
        let (pause, addr) = (Duration::from_millis(rng.u64(5..200)), world.addr);
        let sent = tokio::spawn(async move {
            let mut wire = Wire::connect(addr).await;
            wire.send(&bytes[..begin]).await;
            for byte in bytes[begin..].iter().take(50) {
                wire.send([*byte]).await;
                sleep(pause).await;
            }
        });
        drop(sent.await);
        world.tallies.lock().slow += 1;
    }
}

/// Asks for long responses over HTTP/2 and never opens the window for them.
pub(crate) async fn close_the_window(world: Arc<World>, from: Ipv4Addr, mut rng: Rng) {
    while !world.is_over() {
        let pause = Duration::from_millis(rng.u64(100..5000));
        if let Ok(stream) = connect_from(world.addr, from).await
            && let Ok((sender, connection)) = http2::Builder::new(TokioExecutor::new())
                .initial_stream_window_size(0)
                .handshake(TokioIo::new(stream))
                .await
        {
            tokio::spawn(async { drop(connection.await) });
            let mut responses = JoinSet::new();
            for _ in 0..STREAMS {
                let message = Message::call("sized", json!({ "bytes": rng.usize(..100_000) }));
                let mut request = request(&message);
                *request.uri_mut() = http::Uri::from_static("http://localhost/mcp");
                request.headers_mut().remove("host");
                let mut sender = sender.clone();
                responses.spawn(async move { sender.send_request(request).await.ok() });
            }
            sleep(pause).await;
            world.tallies.lock().windows += STREAMS as u64;
        }
    }
}

/// Opens many connections, and sends nothing or nonsense.
pub(crate) async fn connect(world: Arc<World>, from: Ipv4Addr, mut rng: Rng) {
    while !world.is_over() {
        let mut streams = Vec::new();
        for _ in 0..CONNECTIONS {
            let Ok(mut stream) = connect_from(world.addr, from).await else { break };
            if rng.bool() {
                drop(stream.write_all(&[rng.u8(..), rng.u8(..), rng.u8(..)]).await);
            }
            streams.push(stream);
        }
        world.tallies.lock().connections += streams.len() as u64;
        sleep(Duration::from_millis(rng.u64(..500))).await;
    }
}
