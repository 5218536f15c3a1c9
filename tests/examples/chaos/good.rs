//! Clients that do as they should, and check every response.

use std::{
    io,
    net::Ipv4Addr,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use fastrand::Rng;
use http_body_util::Full;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use midge_tests::{Answer, Message, request};
use serde_json::json;
use tokio::{
    net::{TcpSocket, TcpStream},
    time::{sleep, timeout},
};

use crate::{World, question::Question};

/// How long a client waits for a response. More than the host takes for any of them.
const PATIENCE: Duration = Duration::from_secs(15);
/// How long a client waits after a 503. Less than it is told to, so that there are many.
const PAUSE: Duration = Duration::from_millis(50);
/// Longest text of a large response, in bytes: several of them do not fit into the memory of all.
const LARGE: usize = 2 << 20;

/// A kept connection.
type Connection = SendRequest<Full<Bytes>>;

/// What became of an exchange.
enum Seen {
    Right(Connection, Duration),
    Refused,
    Closed { is_new: bool },
}

/// Calls tools until the end, with small messages.
pub(crate) async fn run(world: Arc<World>, from: Ipv4Addr, mut rng: Rng) {
    let mut connection = None;
    while !world.is_over() {
        let question = Question::random(&mut rng);
        let message = question.message();
        let check = move |answer: &Answer| question.check(answer);
        connection = exchange(&world, from, connection, message, check, |tally, duration| {
            tally.durations.push(duration);
        })
        .await;
    }
}

/// Calls a tool whose response needs much memory until the end.
pub(crate) async fn run_large(world: Arc<World>, from: Ipv4Addr, mut rng: Rng) {
    let mut connection = None;
    while !world.is_over() {
        let bytes = rng.usize(..LARGE);
        let message = Message::call("sized", json!({ "bytes": bytes }));
        let check = move |answer: &Answer| {
            assert_eq!(answer.status, 200, "{bytes} bytes");
            assert!(answer.complete, "{bytes} bytes: the response is cut");
            assert_eq!(answer.result_text().len(), bytes);
        };
        connection =
            exchange(&world, from, connection, message, check, |tally, _| tally.large += 1).await;
        sleep(PAUSE).await;
    }
}

/// Exchanges a message for a response and counts it. Returns the connection where it can be kept.
///
/// A check that fails panics, so this runs in a task of its own.
async fn exchange(
    world: &World,
    from: Ipv4Addr,
    connection: Option<Connection>,
    message: Message,
    check: impl FnOnce(&Answer) + Send + 'static,
    add: impl FnOnce(&mut crate::Tally, Duration),
) -> Option<Connection> {
    let addr = world.addr;
    let seen = tokio::spawn(async move {
        let begun = Instant::now();
        let kept = connection.filter(|connection| !connection.is_closed());
        let is_new = kept.is_none();
        let connection = match kept {
            Some(connection) => Ok(connection),
            None => connect(addr, from).await,
        };
        let Ok(mut connection) = connection else { return Seen::Closed { is_new } };
        let response = timeout(PATIENCE, connection.send_request(request(&message))).await;
        let Ok(response) = response.expect("the response comes in time") else {
            return Seen::Closed { is_new };
        };
        let answer = Answer::read(response).await;
        if answer.status == 503 {
            assert!(answer.complete, "a 503 is cut");
            assert_eq!(answer.code(), Some(-32603), "a 503 of the host: {}", answer.text());
            return Seen::Refused;
        }
        check(&answer);
        Seen::Right(connection, begun.elapsed())
    });
    let seen = seen.await;
    let is_right = matches!(seen, Ok(Seen::Right(..)));
    let connection = {
        let mut tally = world.tallies.lock();
        match seen {
            Ok(Seen::Right(connection, duration)) => {
                add(&mut tally, duration);
                Some(connection)
            }
            Ok(Seen::Refused) => {
                tally.refused += 1;
                None
            }
            Ok(Seen::Closed { is_new: true }) => {
                tally.closed_new += 1;
                None
            }
            Ok(Seen::Closed { is_new: false }) => {
                tally.closed_kept += 1;
                None
            }
            Err(panic) => {
                tally.add_wrong(panic.to_string());
                None
            }
        }
    };
    if !is_right {
        sleep(PAUSE).await;
    }
    connection
}

async fn connect(addr: std::net::SocketAddr, from: Ipv4Addr) -> io::Result<Connection> {
    let stream = connect_from(addr, from).await?;
    let (sender, connection) = handshake(TokioIo::new(stream)).await.map_err(io::Error::other)?;
    // Errors are seen in the responses.
    tokio::spawn(async { drop(connection.await) });
    Ok(sender)
}

/// Connects from an address of its own.
pub(crate) async fn connect_from(
    addr: std::net::SocketAddr,
    from: Ipv4Addr,
) -> io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind((from, 0).into())?;
    let stream = socket.connect(addr).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}
