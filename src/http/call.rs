//! One call of a handler, from its first poll to its end.

use std::time::Duration;

use super::answer::Writer;
use super::sse;
use super::transport::{Io, Transport, within};
use crate::answer::Finished;
use crate::call::Call;
use crate::error::ProtocolError;
use crate::response::Response;
use crate::running::{Event, Running};
use crate::server::Server;

/// How often a stream is written to whose handler must be told soon that its client has gone:
/// well within the second that hosts give a guest to notice.
const HEARTBEAT: Duration = Duration::from_millis(250);

/// Runs one call and writes what it says on its way.
///
/// Its future is dropped here, and with it whatever the handler holds: when it is done, when its
/// time is up, or when the client is gone and the call is not one that runs to completion.
pub(crate) async fn run<T: Transport>(
    server: &Server,
    writer: &mut Writer<'_, T>,
    call: Call,
) -> Io<Response> {
    let Call { future, context, run_to_completion, early_stream, heartbeat, clock, .. } = call;
    if !writer.streams() {
        context.outbox().close();
    }
    writer.transport().blame(Some(context.request_id()));
    let settings = server.settings();
    context.start_clock(settings.time_limit);
    let timer = writer.transport().clock();
    if clock {
        context.set_clock(timer.clone());
    }
    let keep_alive =
        if heartbeat { settings.keep_alive.min(HEARTBEAT) } else { settings.keep_alive };
    let silence = Silence { quiet_time: settings.quiet, keep_alive };
    let mut running = Running::new(future, context.clone(), timer);
    let flow = watch(writer, &mut running, silence, early_stream).await;
    if flow.is_break() {
        context.outbox().cancel();
        if run_to_completion {
            running.complete().await;
        }
    }
    // What deferred work still says has nobody to take it.
    context.outbox().close();
    drop(running);
    writer.transport().blame(None);
    Io::Continue(match flow? {
        Some(finished) => {
            let version = context.protocol_version();
            Response::new(server, context.request_id(), version, finished)
        }
        None => Response::error(Some(context.request_id()), ProtocolError::TimedOut),
    })
}

/// How long an answer may be silent: before it is a stream, and then.
#[derive(Clone, Copy)]
struct Silence {
    quiet_time: Duration,
    keep_alive: Duration,
}

/// Writes what the handler says until it is done; `None` when its time is up.
async fn watch<T: Transport>(
    writer: &mut Writer<'_, T>,
    running: &mut Running,
    silence: Silence,
    early_stream: bool,
) -> Io<Option<Finished>> {
    if early_stream && writer.streams() {
        write(writer, running, sse::KEEP_ALIVE).await?;
    }
    loop {
        let time = if writer.is_streaming() { silence.keep_alive } else { silence.quiet_time };
        match running.next(writer.streams().then_some(time)).await {
            Event::Done(result) => return Io::Continue(Some(result)),
            Event::DeadlinePassed => return Io::Continue(None),
            Event::Quiet => write(writer, running, sse::KEEP_ALIVE).await?,
            Event::Notification(json) => {
                write(writer, running, &sse::event(&json)).await?;
                running.context.outbox().mark_written();
            }
        }
    }
}

/// Writes events; a client that takes none of them until the handler's time is up is gone.
async fn write<T: Transport>(writer: &mut Writer<'_, T>, running: &Running, events: &str) -> Io {
    let limit = running.time_left().map(|left| writer.transport().wait(left));
    within(limit, writer.events(events)).await
}
