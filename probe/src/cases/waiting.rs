//! Clients that disconnect while a tool runs for them.

use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

use crate::{
    case::{CaseError, CaseResult, Evidence},
    client::{
        check_error::CheckError,
        dialect::Request,
        disconnect::Disconnect,
        http1::{Connection, IncomingResponse, RequestBody},
        wire::{Reply, Wire, settle},
    },
    report::finding::KeptRunning,
    test_target::TestTarget,
    tool_monitor::{Observation, ToolMonitor},
};

/// Longer than any tool that the battery called without a monitor.
const SLOW_TOOL_LIMIT: Duration = Duration::from_secs(4);

pub(crate) const NO_STREAM: CaseError = CaseError::Skipped("no streaming tool");

/// Request that a case aborts, and the monitor of its tool.
pub(crate) struct MonitoredCall {
    pub(crate) request: Request,
    monitor: Option<ToolMonitor>,
}

impl MonitoredCall {
    /// Builds a call of the slow tool, if the server has one.
    pub(crate) async fn slow_tool(
        on: &TestTarget,
        progress: bool,
    ) -> Result<Option<Self>, CaseError> {
        let Some(slow_tool) = &on.slow_tool else { return Ok(None) };
        let monitor = slow_tool.monitor().await?;
        let request = on.slow_call(progress, monitor.as_ref());
        Ok(request.map(|request| Self { request, monitor }))
    }

    /// Builds a call of the slow tool, or else the check.
    pub(crate) async fn victim(on: &TestTarget) -> Result<Self, CaseError> {
        let call = Self::slow_tool(on, false).await?;
        Ok(call.unwrap_or_else(|| Self { request: on.check_request(), monitor: None }))
    }

    /// Waits until the tool runs. Without a monitor this is a guess.
    pub(crate) async fn started(&self, on: &TestTarget) -> Option<Observation> {
        match &self.monitor {
            Some(monitor) => monitor.observe(on.patience()).await,
            None => {
                settle().await;
                None
            }
        }
    }
}

/// Waits until the tool of a client that disconnects now has ended.
pub(crate) async fn kept_running(observation: Option<Observation>) -> Option<KeptRunning> {
    let disconnected = Instant::now();
    match observation {
        Some(observation) => Some(observation.end(disconnected).await),
        None => None,
    }
}

pub(crate) async fn before_head(on: &TestTarget, how: Disconnect) -> CaseResult {
    let call = MonitoredCall::victim(on).await?;
    let mut wire = Wire::connect(&on.endpoint).await?;
    wire.send(&on.endpoint.bytes(&call.request)).await;
    let observation = call.started(on).await;
    wire.disconnect(how).await;
    Ok(Evidence::kept_running(kept_running(observation).await))
}

/// A half-closed client may still read. Servers may respond to it or close the connection, but must
/// not wait for ever.
pub(crate) async fn half_closed(on: &TestTarget) -> CaseResult {
    let call = MonitoredCall::victim(on).await?;
    let mut wire = Wire::connect(&on.endpoint).await?;
    wire.send(&on.endpoint.bytes(&call.request)).await;
    let observation = call.started(on).await;
    let begin = Instant::now();
    wire.half_close().await;
    let end = async {
        let reply = wire.reply(on.patience()).await;
        let is_closed = wire.read_to_end(on.patience()).await;
        (reply, is_closed.then(|| begin.elapsed().as_secs_f32()))
    };
    let ((reply, time), kept_running) = tokio::join!(end, kept_running(observation));
    let evidence = Evidence { kept_running, ..Evidence::reply(reply) };
    Ok(evidence.note(match time {
        Some(time) => format!("closed after {time:.1} s"),
        None => "the connection stays open".to_owned(),
    }))
}

pub(crate) async fn in_stream(on: &TestTarget, how: Disconnect) -> CaseResult {
    let call = MonitoredCall::slow_tool(on, true).await?.ok_or(NO_STREAM)?;
    let stream = on.endpoint.connect().await.map_err(CheckError::Connect)?;
    how.prepare(&stream);
    let mut connection = Connection::open(stream).await?;
    let body = RequestBody::complete(call.request.body.clone());
    let begun = timeout(on.patience(), async {
        let response = connection.send(&on.endpoint, &call.request, body).await?;
        first_event(response).await
    });
    let response = begun.await.map_err(|_| CheckError::TimedOut(on.patience()))??;
    let observation = call.started(on).await;
    let reply = Reply::Status(response.status);
    drop(response);
    connection.close().await;
    let kept_running = kept_running(observation).await;
    Ok(Evidence { kept_running, ..Evidence::reply(reply) })
}

/// Reads the first event of a stream, which must be a notification.
async fn first_event(mut response: IncomingResponse) -> Result<IncomingResponse, CaseError> {
    if !response.is_stream() {
        return Err(NO_STREAM);
    }
    loop {
        let messages = response.messages().await?.ok_or(NO_STREAM)?;
        // The JSON-RPC response is the last message of a stream.
        match messages.first() {
            Some(message) if message.get("method").is_some() => return Ok(response),
            Some(_) => return Err(NO_STREAM),
            None => {}
        }
    }
}

/// Some servers fail only when a tool ends whose client has disconnected.
pub(crate) async fn settled(on: &TestTarget) -> CaseResult {
    if on.slow_tool.is_some() {
        sleep(SLOW_TOOL_LIMIT).await;
    }
    Ok(Evidence::none())
}
