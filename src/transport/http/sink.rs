//! Notifications of running handlers, written into the response as events.

use std::time::Duration;

use super::sse;
use super::transport::Transport;
use super::writer::Writer;
use crate::handler::context::Clock;
use crate::rpc::run::{NotificationSink, SendFuture};
use crate::server::settings::Settings;

/// How often a stream is written to whose handler must be told soon that its client has gone:
/// well within the second that hosts give a guest to notice.
const HEARTBEAT: Duration = Duration::from_millis(250);

impl<T: Transport> NotificationSink for Writer<'_, T> {
    fn send<'a>(&'a mut self, notification: Option<&'a str>) -> SendFuture<'a> {
        Box::pin(async move {
            match notification {
                Some(json) => self.events(&sse::event(json)).await,
                None => self.events(sse::KEEP_ALIVE).await,
            }
        })
    }

    fn idle_limit(&self, settings: &Settings, heartbeat: bool) -> Option<Duration> {
        let keep_alive = settings.keep_alive;
        let time = match (self.is_streaming(), heartbeat) {
            (false, _) => settings.stream_after,
            (true, false) => keep_alive,
            (true, true) => keep_alive.min(HEARTBEAT),
        };
        self.streams().then_some(time)
    }

    fn clock(&self) -> Clock {
        self.transport_ref().clock()
    }
}
