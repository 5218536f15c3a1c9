//! Connections that are aborted after a complete exchange, and many that are aborted at once.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use tokio::{sync::Semaphore, task::JoinSet, time::timeout};

use crate::{
    case::{CaseError, CaseResult, Evidence},
    cases::request_body::{ANNOUNCED, part_of, truncated_request},
    client::{
        check_error::CheckError,
        disconnect::Disconnect,
        http1::{Connection, RequestBody},
        wire::{Reply, Wire, settle},
    },
    test_target::TestTarget,
};

/// Requests that are sent without waiting for a response.
const PIPELINED: usize = 5;
/// How long the client of the truncated body stays connected.
const STAY: Duration = Duration::from_millis(100);
/// Exchanges of `many` that are aborted.
const ABORTS: usize = 300;
/// Checks of `many`.
const CHECKS: usize = 100;
/// Open connections of `many` at a time.
const CONCURRENT: usize = 64;

pub(crate) async fn keep_alive(on: &TestTarget) -> CaseResult {
    let stream = on.endpoint.connect().await.map_err(CheckError::Connect)?;
    let mut connection = Connection::open(stream).await?;
    on.check_on_http1(&mut connection).await?;
    let victim = on.victim();
    let body = RequestBody::stalled(Bytes::from(part_of(&victim.body)), ANNOUNCED);
    let sent = timeout(STAY, connection.send(&on.endpoint, &victim, body)).await;
    connection.close().await;
    Ok(match sent {
        // The server may close a connection after an exchange.
        Ok(Err(_)) => Evidence::none().note("the server did not keep the connection"),
        Ok(Ok(response)) => Evidence::reply(Reply::Status(response.status)),
        Err(_) => Evidence::none(),
    })
}

pub(crate) async fn pipelined(on: &TestTarget) -> CaseResult {
    let mut wire = Wire::connect(&on.endpoint).await?;
    let requests: Vec<u8> = (0..PIPELINED).flat_map(|_| on.endpoint.bytes(&on.victim())).collect();
    wire.send(&requests).await;
    settle().await;
    wire.disconnect(Disconnect::Reset).await;
    Ok(Evidence::none())
}

/// Runs aborts of every kind, and checks among them that must not be affected.
pub(crate) async fn many(on: &Arc<TestTarget>) -> CaseResult {
    let permits = Arc::new(Semaphore::new(CONCURRENT));
    let mut tasks = JoinSet::new();
    for number in 0..ABORTS + CHECKS {
        let (on, permits) = (Arc::clone(on), Arc::clone(&permits));
        tasks.spawn(async move {
            // The semaphore is never closed.
            let _permit = permits.acquire().await;
            if number % (1 + ABORTS / CHECKS) == 0 {
                on.check().await
            } else {
                abort(&on, number).await
            }
        });
    }
    let mut errors = Vec::new();
    while let Some(ended) = tasks.join_next().await {
        // No task panics or is cancelled.
        errors.extend(ended.ok().and_then(Result::err));
    }
    match errors.pop() {
        None => Ok(Evidence::none().note(format!("{CHECKS} concurrent checks succeeded"))),
        Some(last) => {
            Err(CaseError::Concurrent { failed: errors.len() + 1, of: ABORTS + CHECKS, last })
        }
    }
}

async fn abort(on: &TestTarget, number: usize) -> Result<(), CheckError> {
    let complete = on.endpoint.bytes(&on.victim());
    let truncated = truncated_request(on);
    let how = if number.is_multiple_of(2) { Disconnect::Fin } else { Disconnect::Reset };
    let bytes = match number % 3 {
        0 => &complete[..],
        1 => &truncated[..],
        _ => truncated.get(..60).unwrap_or_default(),
    };
    let mut wire = Wire::connect(&on.endpoint).await?;
    wire.send(bytes).await;
    if number.is_multiple_of(5) {
        settle().await;
    }
    wire.disconnect(how).await;
    Ok(())
}
