//! Clients that leave while a tool is at work for them.

use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

use super::super::{
    beacon::{Beacon, KeptRunning, Sight},
    case::{Ended, Seen, Stop},
    ground::Ground,
    http1::{Answer, Connection, Payload},
    message::Message,
    wire::{Answered, Leave, Wire, moment},
    wrong::Wrong,
};

/// Longer than any tool the battery has called without a watch on it.
const SETTLING: Duration = Duration::from_secs(4);

pub(super) const NO_STREAM: Stop = Stop::Skip("no streaming tool");

/// A message, and where its tool shows that it is at work.
pub(super) struct Watched {
    pub(super) message: Message,
    beacon: Option<Beacon>,
}

impl Watched {
    /// A call of the slow tool.
    pub(super) async fn call(on: &Ground, progress: bool) -> Result<Option<Self>, Stop> {
        let Some(slow) = &on.slow else { return Ok(None) };
        let beacon = slow.beacon().await?;
        let message = on.slow_call(progress, beacon.as_ref());
        Ok(message.map(|message| Self { message, beacon }))
    }

    /// A call of the slow tool, or the check where there is none.
    pub(super) async fn victim(on: &Ground) -> Result<Self, Stop> {
        let call = Self::call(on, false).await?;
        Ok(call.unwrap_or_else(|| Self { message: on.check(), beacon: None }))
    }

    /// Waits until the tool is at work, as far as that can be seen.
    pub(super) async fn at_work(&self, on: &Ground) -> Option<Sight> {
        match &self.beacon {
            Some(beacon) => beacon.seen(on.patience).await,
            None => {
                moment().await;
                None
            }
        }
    }
}

/// How long the tool goes on from now.
pub(super) async fn goes_on(sight: Option<Sight>) -> Option<KeptRunning> {
    let left = Instant::now();
    match sight {
        Some(sight) => Some(sight.gone(left).await),
        None => None,
    }
}

pub(super) async fn before_head(on: &Ground, how: Leave) -> Ended {
    let watched = Watched::victim(on).await?;
    let mut wire = Wire::connect(on).await?;
    wire.send(&on.target.request(&watched.message)).await;
    let sight = watched.at_work(on).await;
    wire.leave(how).await;
    Ok(Seen::kept(goes_on(sight).await))
}

/// A client that has said all it has to say may still be there. Some servers think so, others do
/// not; either is a way to go on, but for waiting for ever.
pub(super) async fn half_closed(on: &Ground) -> Ended {
    let watched = Watched::victim(on).await?;
    let mut wire = Wire::connect(on).await?;
    wire.send(&on.target.request(&watched.message)).await;
    let sight = watched.at_work(on).await;
    let begin = Instant::now();
    wire.half_close().await;
    let end = async {
        let answered = wire.answered(on.patience).await;
        let time = wire.ends(on.patience).await.then(|| begin.elapsed().as_secs_f32());
        (answered, time)
    };
    let ((answered, time), kept_running) = tokio::join!(end, goes_on(sight));
    let seen = Seen { kept_running, ..Seen::answer(answered) };
    Ok(seen.note(match time {
        Some(time) => format!("closed after {time:.1} s"),
        None => "the connection stays open".to_owned(),
    }))
}

pub(super) async fn in_stream(on: &Ground, how: Leave) -> Ended {
    let watched = Watched::call(on, true).await?.ok_or(NO_STREAM)?;
    let stream = on.target.connect().await.map_err(Wrong::Connect)?;
    how.prepare(&stream);
    let mut connection = Connection::open(stream).await?;
    let payload = Payload::whole(watched.message.body.clone());
    let begun = timeout(on.patience, async {
        let answer = connection.send(&on.target, &watched.message, payload).await?;
        first_event(answer).await
    });
    let answer = begun.await.map_err(|_| Wrong::Late(on.patience))??;
    let sight = watched.at_work(on).await;
    let status = Answered::Status(answer.status);
    drop(answer);
    connection.close().await;
    let kept_running = goes_on(sight).await;
    Ok(Seen { kept_running, ..Seen::answer(status) })
}

/// An answer of which one event has come, and that is not over.
async fn first_event(mut answer: Answer) -> Result<Answer, Stop> {
    if !answer.is_stream() {
        return Err(NO_STREAM);
    }
    loop {
        let messages = answer.messages().await?.ok_or(NO_STREAM)?;
        // With the answer itself the stream is over.
        match messages.first() {
            Some(message) if message.get("method").is_some() => return Ok(answer),
            Some(_) => return Err(NO_STREAM),
            None => {}
        }
    }
}

/// Some servers only fail when the work for the client that left is done.
pub(super) async fn settled(on: &Ground) -> Ended {
    if on.slow.is_some() {
        sleep(SETTLING).await;
    }
    Ok(Seen::nothing())
}
