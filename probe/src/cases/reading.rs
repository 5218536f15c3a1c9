//! Clients that do not read what they asked for.

use std::time::Duration;

use tokio::time::sleep;

use super::super::{
    case::{Ended, Seen, Stop},
    ground::Ground,
    message::Message,
    wire::{Leave, Wire},
    wrong::Wrong,
};

/// Sizes of ids to try. The first is more than a system takes for a client that does not read.
const SIZES: [usize; 3] = [7 << 19, 900 << 10, 80 << 10];
/// How long the client stays without reading.
const STALL: Duration = Duration::from_secs(2);

/// A request with a large answer, and how often it must be sent for the answers to fill the pipe.
pub(super) struct Large {
    pub(super) message: Message,
    pub(super) times: usize,
}

impl Large {
    /// Finds the largest answer this server gives.
    pub(super) async fn find(on: &Ground) -> Result<Self, Stop> {
        for bytes in SIZES {
            let message = on.large_check(bytes);
            match on.good_with(&message).await {
                Ok(()) => return Ok(Self { message, times: SIZES[0].div_ceil(bytes) }),
                Err(Wrong::Connect(error)) => return Err(Wrong::Connect(error).into()),
                Err(_) => {}
            }
        }
        Err(Stop::Skip("no large answer: the server refuses large ids"))
    }
}

pub(super) async fn after_head(on: &Ground) -> Ended {
    let large = Large::find(on).await?;
    let mut wire = Wire::connect_narrow(on).await?;
    wire.send(&on.target.request(&large.message)).await;
    let answered = wire.head(on.patience).await;
    wire.leave(Leave::Reset).await;
    Ok(Seen::answer(answered))
}

/// The window of the client is closed for a while; others must be served meanwhile.
pub(super) async fn stops(on: &Ground) -> Ended {
    let large = Large::find(on).await?;
    let mut wire = Wire::connect_narrow(on).await?;
    for _ in 0..large.times {
        wire.send(&on.target.request(&large.message)).await;
    }
    sleep(STALL).await;
    on.good().await?;
    let answered = wire.answered(STALL).await;
    wire.leave(Leave::Reset).await;
    Ok(Seen::answer(answered))
}
