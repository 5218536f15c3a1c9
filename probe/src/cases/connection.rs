//! Connections that go bad after going well, and many that go bad at once.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use tokio::{sync::Semaphore, task::JoinSet, time::timeout};

use super::{
    super::{
        case::{Ended, Seen, Stop},
        ground::Ground,
        http1::{Connection, Payload},
        wire::{Answered, Leave, Wire, moment},
        wrong::Wrong,
    },
    body::{ANNOUNCED, cut_request, part_of},
};

/// Requests that are sent without waiting for an answer.
const PIPELINED: usize = 5;
/// How long the client of the cut body stays.
const STAY: Duration = Duration::from_millis(100);
const ABORTS: usize = 300;
const GOOD: usize = 100;
/// Connections of this case that are open at the same time.
const AT_ONCE: usize = 64;

pub(super) async fn keep_alive(on: &Ground) -> Ended {
    let stream = on.target.connect().await.map_err(Wrong::Connect)?;
    let mut connection = Connection::open(stream).await?;
    on.good_on(&mut connection).await?;
    let victim = on.victim();
    let payload = Payload::begun(Bytes::from(part_of(&victim.body)), ANNOUNCED);
    let left = timeout(STAY, connection.send(&on.target, &victim, payload)).await;
    connection.close().await;
    Ok(match left {
        // The server need not keep a connection; then it closed this one before.
        Ok(Err(_)) => Seen::nothing().note("the server did not keep the connection"),
        Ok(Ok(answer)) => Seen::answer(Answered::Status(answer.status)),
        Err(_) => Seen::nothing(),
    })
}

pub(super) async fn pipelined(on: &Ground) -> Ended {
    let mut wire = Wire::connect(on).await?;
    let requests: Vec<u8> = (0..PIPELINED).flat_map(|_| on.target.request(&on.victim())).collect();
    wire.send(&requests).await;
    moment().await;
    wire.leave(Leave::Reset).await;
    Ok(Seen::nothing())
}

/// Aborts of every kind, and good exchanges among them that must not notice.
pub(super) async fn many(on: &Arc<Ground>) -> Ended {
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let mut tasks = JoinSet::new();
    for number in 0..ABORTS + GOOD {
        let (on, places) = (Arc::clone(on), Arc::clone(&places));
        tasks.spawn(async move {
            // The semaphore is never closed.
            let _place = places.acquire().await;
            if number % (1 + ABORTS / GOOD) == 0 {
                on.good().await
            } else {
                abort(&on, number).await
            }
        });
    }
    let mut wrong = Vec::new();
    while let Some(ended) = tasks.join_next().await {
        // A task neither panics nor is cancelled.
        wrong.extend(ended.ok().and_then(Result::err));
    }
    match wrong.pop() {
        None => Ok(Seen::nothing().note(format!("{GOOD} good exchanges right"))),
        Some(last) => Err(Stop::Many { wrong: wrong.len() + 1, of: ABORTS + GOOD, last }),
    }
}

async fn abort(on: &Ground, number: usize) -> Result<(), Wrong> {
    let whole = on.target.request(&on.victim());
    let cut = cut_request(on);
    let how = if number.is_multiple_of(2) { Leave::Fin } else { Leave::Reset };
    let bytes = match number % 3 {
        0 => &whole[..],
        1 => &cut[..],
        _ => cut.get(..60).unwrap_or_default(),
    };
    let mut wire = Wire::connect(on).await?;
    wire.send(bytes).await;
    if number.is_multiple_of(5) {
        moment().await;
    }
    wire.leave(how).await;
    Ok(())
}
