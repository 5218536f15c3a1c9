//! What running handlers say, on its way into an answer.

use std::time::Duration;

use super::answer::Writer;
use super::sse;
use super::transport::Transport;
use crate::handler::context::Clock;
use crate::rpc::run::{Audience, Telling};
use crate::server::settings::Settings;

/// How often a stream is written to whose handler must be told soon that its client has gone:
/// well within the second that hosts give a guest to notice.
const HEARTBEAT: Duration = Duration::from_millis(250);

impl<T: Transport> Audience for Writer<'_, T> {
    fn tell<'a>(&'a mut self, notification: Option<&'a str>) -> Telling<'a> {
        Box::pin(async move {
            match notification {
                Some(json) => self.events(&sse::event(json)).await,
                None => self.events(sse::KEEP_ALIVE).await,
            }
        })
    }

    fn silence(&self, settings: &Settings, heartbeat: bool) -> Option<Duration> {
        let keep_alive = settings.keep_alive;
        let time = match (self.is_streaming(), heartbeat) {
            (false, _) => settings.quiet,
            (true, false) => keep_alive,
            (true, true) => keep_alive.min(HEARTBEAT),
        };
        self.streams().then_some(time)
    }

    fn clock(&self) -> Clock {
        self.transport_ref().clock()
    }
}
