//! Clients that do not read the response.

use std::time::Duration;

use tokio::time::sleep;

use crate::{
    case::{CaseError, CaseResult, Evidence},
    client::{check_error::CheckError, dialect::Request, disconnect::Disconnect, wire::Wire},
    test_target::TestTarget,
};

/// Sizes of ids to try. The first exceeds what a system buffers for a client that does not read.
const SIZES: [usize; 3] = [7 << 19, 900 << 10, 80 << 10];
/// How long the client stays connected without reading.
const STALL: Duration = Duration::from_secs(2);

/// Check with a large response.
pub(crate) struct LargeCheck {
    pub(crate) request: Request,
    /// How many of them fill the buffers of a connection.
    pub(crate) times: usize,
}

impl LargeCheck {
    /// Finds the largest check that the server accepts.
    pub(crate) async fn find(on: &TestTarget) -> Result<Self, CaseError> {
        for bytes in SIZES {
            let request = on.large_check_request(bytes);
            match on.check_with(&request).await {
                Ok(()) => return Ok(Self { request, times: SIZES[0].div_ceil(bytes) }),
                Err(CheckError::Connect(error)) => return Err(CheckError::Connect(error).into()),
                Err(_) => {}
            }
        }
        Err(CaseError::Skipped("no large response: the server refuses large ids"))
    }
}

pub(crate) async fn after_head(on: &TestTarget) -> CaseResult {
    let large = LargeCheck::find(on).await?;
    let mut wire = Wire::connect_narrow(&on.endpoint).await?;
    wire.send(&on.endpoint.bytes(&large.request)).await;
    let reply = wire.read_head(on.patience()).await;
    wire.disconnect(Disconnect::Reset).await;
    Ok(Evidence::reply(reply))
}

/// While the window of the client is closed, the server must serve other clients.
pub(crate) async fn stops(on: &TestTarget) -> CaseResult {
    let large = LargeCheck::find(on).await?;
    let mut wire = Wire::connect_narrow(&on.endpoint).await?;
    for _ in 0..large.times {
        wire.send(&on.endpoint.bytes(&large.request)).await;
    }
    sleep(STALL).await;
    on.check().await?;
    let reply = wire.reply(STALL).await;
    wire.disconnect(Disconnect::Reset).await;
    Ok(Evidence::reply(reply))
}
