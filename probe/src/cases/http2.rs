//! The same places in HTTP/2, where a client leaves by resetting a stream.
//!
//! What is on the other streams of the connection must not notice, so the good exchange comes on
//! the same connection first, and on a new one as after every case.

use std::time::Duration;

use bytes::Bytes;
use tokio::time::sleep;

use super::{
    super::{
        case::{Ended, Seen, Stop},
        ground::Ground,
        http2::{Call, Connection},
        message::Message,
        wire::{Answered, Leave, moment},
        wrong::Wrong,
    },
    body::part_of,
    reading::Large,
    waiting::{NO_STREAM, Watched, goes_on},
};

const NO_HTTP2: Stop = Stop::Skip("no h2c");
/// How long a server has to say that it speaks HTTP/2.
const GREETING: Duration = Duration::from_secs(2);
/// How long the client stays without reading.
const STALL: Duration = Duration::from_secs(2);
/// Streams that are reset at once: few enough not to be taken for an attack.
const RESETS: usize = 100;

/// A connection, if the server speaks HTTP/2 at all.
async fn connect(on: &Ground, how: Leave) -> Result<Connection, Stop> {
    let speaks = on.speaks_http2.get_or_try_init(async || {
        let mut connection = match Connection::open(on, Leave::Fin).await {
            Ok(connection) => connection,
            Err(Wrong::Connect(error)) => return Err(Wrong::Connect(error)),
            Err(_) => return Ok(false),
        };
        Ok(connection.good_within(on, GREETING.min(on.patience)).await.is_ok())
    });
    if *speaks.await? { Ok(Connection::open(on, how).await?) } else { Err(NO_HTTP2) }
}

/// Resets a stream, and has a good exchange on the same connection.
async fn reset(on: &Ground, connection: &mut Connection, call: Call) -> Result<(), Stop> {
    call.reset();
    Ok(connection.good_within(on, on.patience).await?)
}

/// A call of which a part of the body was sent.
async fn cut(on: &Ground, connection: &mut Connection) -> Result<Call, Stop> {
    let victim = on.victim();
    let part = Bytes::from(part_of(&victim.body));
    let call = connection.begin(on, &victim, part, false).await?;
    moment().await;
    Ok(call)
}

/// A call that was sent whole.
async fn whole(on: &Ground, connection: &mut Connection, of: &Message) -> Result<Call, Stop> {
    Ok(connection.begin(on, of, of.body.clone(), true).await?)
}

pub(super) async fn body_reset(on: &Ground) -> Ended {
    let mut connection = connect(on, Leave::Fin).await?;
    let call = cut(on, &mut connection).await?;
    reset(on, &mut connection, call).await?;
    Ok(Seen::nothing())
}

pub(super) async fn body_lost(on: &Ground) -> Ended {
    let mut connection = connect(on, Leave::Reset).await?;
    let call = cut(on, &mut connection).await?;
    connection.close().await;
    drop(call);
    Ok(Seen::nothing())
}

pub(super) async fn before_head(on: &Ground) -> Ended {
    let mut connection = connect(on, Leave::Fin).await?;
    let watched = Watched::victim(on).await?;
    let call = whole(on, &mut connection, &watched.message).await?;
    let sight = watched.at_work(on).await;
    call.reset();
    let kept = goes_on(sight).await;
    connection.good_within(on, on.patience).await?;
    Ok(Seen::kept(kept))
}

pub(super) async fn in_stream(on: &Ground) -> Ended {
    let mut connection = connect(on, Leave::Fin).await?;
    let watched = Watched::call(on, true).await?.ok_or(NO_STREAM)?;
    let mut call = whole(on, &mut connection, &watched.message).await?;
    let status = call.head(on.patience).await?;
    if !call.has_first_event(on.patience).await? {
        return Err(NO_STREAM);
    }
    let sight = watched.at_work(on).await;
    call.reset();
    let kept_running = goes_on(sight).await;
    connection.good_within(on, on.patience).await?;
    Ok(Seen { kept_running, ..Seen::answer(Answered::Status(status)) })
}

/// The head is read, the body is not: the window of the stream stays closed.
pub(super) async fn stops_reading(on: &Ground) -> Ended {
    let mut connection = connect(on, Leave::Fin).await?;
    let large = Large::find(on).await?;
    let mut call = whole(on, &mut connection, &large.message).await?;
    let status = call.head(on.patience).await?;
    sleep(STALL).await;
    connection.good_within(on, on.patience).await?;
    reset(on, &mut connection, call).await?;
    Ok(Seen::answer(Answered::Status(status)))
}

/// A server may take this for an attack and close the connection; others must be served.
pub(super) async fn many_resets(on: &Ground) -> Ended {
    let mut connection = connect(on, Leave::Fin).await?;
    for number in 0..RESETS {
        let victim = on.victim();
        match whole(on, &mut connection, &victim).await {
            Ok(call) => call.reset(),
            Err(_) => {
                let note = format!("the server closed the connection after {number} resets");
                return Ok(Seen::nothing().note(note));
            }
        }
    }
    Ok(Seen::nothing())
}
