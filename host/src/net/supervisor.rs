//! What a connection waits for besides its requests.

use std::{future::pending, pin::Pin};

use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::{
    net::TcpStream,
    sync::watch,
    time::{Instant, sleep_until},
};

use crate::{
    config::Config,
    telemetry::liveness::{self, Closed, Next, Pulse},
};

/// How far a server is from its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// New connections are accepted.
    Serving,
    /// What has begun may end.
    Draining,
    /// Nothing may go on.
    Over,
}

/// What a connection is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// End when what has begun has ended.
    Drain,
    /// End now.
    End,
}

/// Looks after a connection: after its client, and after the server's end.
pub(crate) struct Watching<'a> {
    pulse: &'a Pulse,
    config: &'a Config,
    /// Each is polled when it is woken, and not with every request.
    events: FuturesUnordered<Pin<Box<dyn Future<Output = Event> + Send + 'a>>>,
    is_closing: bool,
}

enum Event {
    /// The server has gone on to another phase.
    Phase(watch::Receiver<Phase>),
    /// It is time to see how the client is doing.
    Look,
    /// The client has gone.
    Hangup,
}

impl<'a> Watching<'a> {
    pub(crate) fn new(
        pulse: &'a Pulse,
        socket: &'a TcpStream,
        config: &'a Config,
        phase: watch::Receiver<Phase>,
    ) -> Self {
        let watching = Self { pulse, config, events: FuturesUnordered::new(), is_closing: false };
        watching.events.push(Box::pin(next_phase(phase)));
        watching.look_at(Instant::now() + liveness::pause(config));
        watching.events.push(Box::pin(async {
            pulse.hangup(socket).await;
            Event::Hangup
        }));
        watching
    }

    fn look_at(&self, when: Instant) {
        self.events.push(Box::pin(async move {
            sleep_until(when).await;
            Event::Look
        }));
    }

    /// Waits until there is something to do.
    pub(crate) async fn step(&mut self) -> Step {
        loop {
            let step = match self.events.next().await {
                Some(Event::Hangup) => Some(Step::End),
                Some(Event::Phase(phase)) => self.enter(phase),
                Some(Event::Look) => self.look(),
                None => pending().await,
            };
            if let Some(step) = step {
                return step;
            }
        }
    }

    fn enter(&self, mut phase: watch::Receiver<Phase>) -> Option<Step> {
        let now = *phase.borrow_and_update();
        self.events.push(Box::pin(next_phase(phase)));
        match now {
            Phase::Serving => None,
            Phase::Draining => Some(Step::Drain),
            Phase::Over => {
                self.pulse.close(Closed::Shutdown);
                Some(Step::End)
            }
        }
    }

    fn look(&mut self) -> Option<Step> {
        match self.pulse.next(self.config) {
            Next::Look(when) => {
                self.look_at(when);
                None
            }
            // Its client does not even take what is left to close it.
            Next::CloseIdle if self.is_closing => Some(Step::End),
            Next::CloseIdle => {
                self.is_closing = true;
                self.look_at(Instant::now() + self.config.head_timeout);
                Some(Step::Drain)
            }
            Next::Cut => {
                self.pulse.close(Closed::ClientStuck);
                Some(Step::End)
            }
        }
    }
}

async fn next_phase(mut phase: watch::Receiver<Phase>) -> Event {
    match phase.changed().await {
        Ok(()) => Event::Phase(phase),
        // A server that is gone has told its connections to end before.
        Err(_) => pending().await,
    }
}
