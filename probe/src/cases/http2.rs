//! The same cases over HTTP/2, where a client resets a stream.
//!
//! The other streams of the connection must not be affected. So the check first runs on the same
//! connection, then on a new one, as after every case.

use std::time::Duration;

use bytes::Bytes;
use tokio::time::sleep;

use crate::{
    case::{CaseError, CaseResult, Evidence},
    cases::{
        reading::LargeCheck,
        request_body::part_of,
        waiting::{MonitoredCall, NO_STREAM, kept_running},
    },
    client::{
        check_error::CheckError,
        disconnect::Disconnect,
        http2::{Connection, Stream},
        wire::{Reply, settle},
    },
    test_target::TestTarget,
};

const NO_HTTP2: CaseError = CaseError::Skipped("no h2c");
/// Limit of the check that shows whether a server speaks HTTP/2.
const DETECTION_LIMIT: Duration = Duration::from_secs(2);
/// How long the client stays connected without reading.
const STALL: Duration = Duration::from_secs(2);
/// Streams that are reset on one connection. Few enough not to look like an attack.
const RESETS: usize = 100;

/// Opens a connection, if the server speaks HTTP/2.
async fn connect(on: &TestTarget, how: Disconnect) -> Result<Connection, CaseError> {
    let speaks_http2 = on.speaks_http2.get_or_try_init(async || {
        let mut connection = match Connection::open(&on.endpoint, Disconnect::Fin).await {
            Ok(connection) => connection,
            Err(CheckError::Connect(error)) => return Err(CheckError::Connect(error)),
            Err(_) => return Ok(false),
        };
        let limit = DETECTION_LIMIT.min(on.patience());
        Ok(on.check_on_http2(&mut connection, limit).await.is_ok())
    });
    if *speaks_http2.await? {
        Ok(Connection::open(&on.endpoint, how).await?)
    } else {
        Err(NO_HTTP2)
    }
}

/// Runs the check on a connection whose stream was reset.
async fn check(on: &TestTarget, connection: &mut Connection) -> Result<(), CheckError> {
    on.check_on_http2(connection, on.patience()).await
}

/// Sends a part of the body of a request.
async fn truncated(on: &TestTarget, connection: &mut Connection) -> Result<Stream, CheckError> {
    let victim = on.victim();
    let part = Bytes::from(part_of(&victim.body));
    let stream = connection.send_part(&on.endpoint, &victim, part).await?;
    settle().await;
    Ok(stream)
}

pub(crate) async fn body_reset(on: &TestTarget) -> CaseResult {
    let mut connection = connect(on, Disconnect::Fin).await?;
    truncated(on, &mut connection).await?.reset();
    check(on, &mut connection).await?;
    Ok(Evidence::none())
}

pub(crate) async fn body_lost(on: &TestTarget) -> CaseResult {
    let mut connection = connect(on, Disconnect::Reset).await?;
    let stream = truncated(on, &mut connection).await?;
    connection.close().await;
    drop(stream);
    Ok(Evidence::none())
}

pub(crate) async fn before_head(on: &TestTarget) -> CaseResult {
    let mut connection = connect(on, Disconnect::Fin).await?;
    let call = MonitoredCall::victim(on).await?;
    let stream = connection.send(&on.endpoint, &call.request).await?;
    let observation = call.started(on).await;
    stream.reset();
    let kept_running = kept_running(observation).await;
    check(on, &mut connection).await?;
    Ok(Evidence::kept_running(kept_running))
}

pub(crate) async fn in_stream(on: &TestTarget) -> CaseResult {
    let mut connection = connect(on, Disconnect::Fin).await?;
    let call = MonitoredCall::slow_tool(on, true).await?.ok_or(NO_STREAM)?;
    let mut stream = connection.send(&on.endpoint, &call.request).await?;
    let status = stream.head(on.patience()).await?;
    if !stream.has_first_event(on.patience()).await? {
        return Err(NO_STREAM);
    }
    let observation = call.started(on).await;
    stream.reset();
    let kept_running = kept_running(observation).await;
    check(on, &mut connection).await?;
    Ok(Evidence { kept_running, ..Evidence::reply(Reply::Status(status)) })
}

/// Reads the head but not the body: the window of the stream stays closed.
pub(crate) async fn stops_reading(on: &TestTarget) -> CaseResult {
    let mut connection = connect(on, Disconnect::Fin).await?;
    let large = LargeCheck::find(on).await?;
    let mut stream = connection.send(&on.endpoint, &large.request).await?;
    let status = stream.head(on.patience()).await?;
    sleep(STALL).await;
    check(on, &mut connection).await?;
    stream.reset();
    check(on, &mut connection).await?;
    Ok(Evidence::reply(Reply::Status(status)))
}

/// The server may take the resets for an attack and close this connection, but must serve others.
pub(crate) async fn many_resets(on: &TestTarget) -> CaseResult {
    let mut connection = connect(on, Disconnect::Fin).await?;
    for number in 0..RESETS {
        match connection.send(&on.endpoint, &on.victim()).await {
            Ok(stream) => stream.reset(),
            Err(_) => {
                let note = format!("the server closed the connection after {number} resets");
                return Ok(Evidence::none().note(note));
            }
        }
    }
    Ok(Evidence::none())
}
