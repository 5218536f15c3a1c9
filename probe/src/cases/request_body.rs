//! Clients that disconnect before their request is complete.

use std::time::Duration;

use crate::{
    case::{CaseError, CaseResult, Evidence},
    client::{
        disconnect::Disconnect,
        wire::{Wire, settle},
    },
    test_target::TestTarget,
};

/// Bytes of the body that the client announces.
pub(crate) const ANNOUNCED: usize = 10_000;
/// Bytes of the body that the client sends.
const SENT: usize = 45;
/// How long a stalled client stays connected.
const STALL: Duration = Duration::from_secs(2);

pub(crate) async fn silent(on: &TestTarget) -> CaseResult {
    let wire = Wire::connect(&on.endpoint).await?;
    settle().await;
    wire.disconnect(Disconnect::Fin).await;
    Ok(Evidence::none())
}

pub(crate) async fn head_cut(on: &TestTarget, how: Disconnect) -> CaseResult {
    let head = on.endpoint.head(&on.victim(), "content-length: 100");
    let half = head.get(..head.len() / 2).unwrap_or_default();
    sent(on, half).await?.disconnect(how).await;
    Ok(Evidence::none())
}

pub(crate) async fn truncated(on: &TestTarget, how: Disconnect) -> CaseResult {
    sent(on, &truncated_request(on)).await?.disconnect(how).await;
    Ok(Evidence::none())
}

pub(crate) async fn half_closed(on: &TestTarget) -> CaseResult {
    let mut wire = sent(on, &truncated_request(on)).await?;
    wire.half_close().await;
    Ok(Evidence::reply(wire.reply(on.patience()).await))
}

/// The server has to time out a body that stalls. Until then it must serve other clients.
pub(crate) async fn stalled(on: &TestTarget) -> CaseResult {
    let mut wire = sent(on, &truncated_request(on)).await?;
    on.check().await?;
    let reply = wire.reply(STALL).await;
    wire.disconnect(Disconnect::Fin).await;
    Ok(Evidence::reply(reply))
}

pub(crate) async fn chunk_cut_in_data(on: &TestTarget) -> CaseResult {
    let part = part_of(&on.victim().body);
    chunked(on, &[b"2710\r\n", &part]).await
}

pub(crate) async fn chunk_cut_in_header(on: &TestTarget) -> CaseResult {
    let part = part_of(&on.victim().body);
    let size = format!("{:x}\r\n", part.len());
    chunked(on, &[size.as_bytes(), &part, b"\r\n27"]).await
}

pub(crate) async fn chunk_cut_before_last(on: &TestTarget) -> CaseResult {
    let body = on.victim().body;
    let size = format!("{:x}\r\n", body.len());
    chunked(on, &[size.as_bytes(), &body, b"\r\n"]).await
}

/// Sends a chunked body as far as `pieces` go, then FIN.
async fn chunked(on: &TestTarget, pieces: &[&[u8]]) -> CaseResult {
    let mut request = on.endpoint.head(&on.victim(), "transfer-encoding: chunked");
    request.extend(pieces.concat());
    sent(on, &request).await?.disconnect(Disconnect::Fin).await;
    Ok(Evidence::none())
}

/// Returns a connection on which the server has most likely read `bytes`.
async fn sent(on: &TestTarget, bytes: &[u8]) -> Result<Wire, CaseError> {
    let mut wire = Wire::connect(&on.endpoint).await?;
    wire.send(bytes).await;
    settle().await;
    Ok(wire)
}

/// Returns the request of python-sdk issue 2064: it announces far more than it sends.
pub(crate) fn truncated_request(on: &TestTarget) -> Vec<u8> {
    let victim = on.victim();
    let mut request = on.endpoint.head(&victim, &format!("content-length: {ANNOUNCED}"));
    request.extend(part_of(&victim.body));
    request
}

pub(crate) fn part_of(body: &[u8]) -> Vec<u8> {
    body.iter().copied().take(SENT).collect()
}
