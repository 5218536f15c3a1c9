//! Clients that leave before their request is whole.

use std::time::Duration;

use super::super::{
    case::{Ended, Seen, Stop},
    ground::Ground,
    wire::{Leave, Wire, moment},
};

/// Bytes of the body that are announced, and those that are sent.
pub(super) const ANNOUNCED: usize = 10_000;
pub(super) const SENT: usize = 45;
/// How long a stalled client stays.
const STALL: Duration = Duration::from_secs(2);

pub(super) async fn silent(on: &Ground) -> Ended {
    let wire = Wire::connect(on).await?;
    moment().await;
    wire.leave(Leave::Fin).await;
    Ok(Seen::nothing())
}

pub(super) async fn head_cut(on: &Ground, how: Leave) -> Ended {
    let head = on.target.head(&on.victim(), "content-length: 100");
    let half = head.get(..head.len() / 2).unwrap_or_default();
    sent(on, half).await?.leave(how).await;
    Ok(Seen::nothing())
}

pub(super) async fn truncated(on: &Ground, how: Leave) -> Ended {
    sent(on, &cut_request(on)).await?.leave(how).await;
    Ok(Seen::nothing())
}

pub(super) async fn half_closed(on: &Ground) -> Ended {
    let mut wire = sent(on, &cut_request(on)).await?;
    wire.half_close().await;
    Ok(Seen::answer(wire.answered(on.patience).await))
}

/// A body that stops coming is for the server to time out; until then others must be served.
pub(super) async fn stalled(on: &Ground) -> Ended {
    let mut wire = sent(on, &cut_request(on)).await?;
    on.good().await?;
    let answered = wire.answered(STALL).await;
    wire.leave(Leave::Fin).await;
    Ok(Seen::answer(answered))
}

pub(super) async fn chunk_cut_in_data(on: &Ground) -> Ended {
    let part = part_of(&on.victim().body);
    chunked(on, &[b"2710\r\n", &part]).await
}

pub(super) async fn chunk_cut_in_header(on: &Ground) -> Ended {
    let part = part_of(&on.victim().body);
    let size = format!("{:x}\r\n", part.len());
    chunked(on, &[size.as_bytes(), &part, b"\r\n27"]).await
}

pub(super) async fn chunk_cut_before_last(on: &Ground) -> Ended {
    let body = on.victim().body;
    let size = format!("{:x}\r\n", body.len());
    chunked(on, &[size.as_bytes(), &body, b"\r\n"]).await
}

/// A chunked body of which this comes, then FIN.
async fn chunked(on: &Ground, pieces: &[&[u8]]) -> Ended {
    let mut request = on.target.head(&on.victim(), "transfer-encoding: chunked");
    request.extend(pieces.concat());
    sent(on, &request).await?.leave(Leave::Fin).await;
    Ok(Seen::nothing())
}

/// A connection on which this was sent and, most likely, read.
async fn sent(on: &Ground, bytes: &[u8]) -> Result<Wire, Stop> {
    let mut wire = Wire::connect(on).await?;
    wire.send(bytes).await;
    moment().await;
    Ok(wire)
}

/// The request of python-sdk issue 2064: far more announced than sent.
pub(super) fn cut_request(on: &Ground) -> Vec<u8> {
    let victim = on.victim();
    let mut request = on.target.head(&victim, &format!("content-length: {ANNOUNCED}"));
    request.extend(part_of(&victim.body));
    request
}

pub(super) fn part_of(body: &[u8]) -> Vec<u8> {
    body.iter().copied().take(SENT).collect()
}
