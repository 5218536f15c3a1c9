//! The supervisor of a connection: acts on timeouts, disconnects and the shutdown of the server.

use std::{future::pending, pin::Pin};

use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::{
    net::TcpStream,
    sync::watch,
    time::{Instant, sleep_until},
};
use tokio_util::sync::CancellationToken;

use crate::{
    config::Config,
    telemetry::liveness::{self, Check, CloseReason, Liveness},
};

/// The phases of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Accepts connections.
    Serving,
    /// Finishes the exchanges that run, and accepts no more.
    Draining,
    /// Closes the connections that are left.
    Closing,
}

/// What a connection is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// Close once the exchanges that run have ended; an idle connection at once.
    Drain,
    /// Close now.
    Close,
}

/// Supervises one connection.
pub(super) struct Supervisor<'a> {
    liveness: &'a Liveness,
    config: &'a Config,
    /// Each is polled when it is woken, and not with every request.
    events: FuturesUnordered<Pin<Box<dyn Future<Output = Event> + Send + 'a>>>,
    is_draining: bool,
}

enum Event {
    /// The server has entered another phase.
    Phase(watch::Receiver<Phase>),
    /// It is time to check the limits of the connection.
    Check,
    /// It is time to close the connection, unless it is in use: the server is shutting down.
    Drain,
    /// The client has disconnected.
    Disconnected,
    /// Another client gets the place of this one.
    Evicted,
}

impl<'a> Supervisor<'a> {
    pub(super) fn new(
        liveness: &'a Liveness,
        socket: &'a TcpStream,
        config: &'a Config,
        phase: watch::Receiver<Phase>,
        evicted: &'a CancellationToken,
    ) -> Self {
        let events = FuturesUnordered::new();
        let supervisor = Self { liveness, config, events, is_draining: false };
        supervisor.events.push(Box::pin(next_phase(phase)));
        supervisor.check_at(Instant::now() + liveness::check_interval(config));
        supervisor.events.push(Box::pin(async {
            liveness.client_disconnected(socket).await;
            Event::Disconnected
        }));
        supervisor.events.push(Box::pin(async {
            evicted.cancelled().await;
            Event::Evicted
        }));
        supervisor
    }

    fn check_at(&self, when: Instant) {
        self.events.push(Box::pin(async move {
            sleep_until(when).await;
            Event::Check
        }));
    }

    /// Waits for the next action.
    pub(super) async fn next(&mut self) -> Action {
        loop {
            let action = match self.events.next().await {
                Some(Event::Disconnected) => Some(Action::Close),
                Some(Event::Evicted) => Some(self.evict()),
                Some(Event::Phase(phase)) => self.enter(phase),
                Some(Event::Check) => self.check(),
                Some(Event::Drain) => self.drain(),
                None => pending().await,
            };
            if let Some(action) = action {
                return action;
            }
        }
    }

    /// Closes the connection, unless an exchange has begun in the meantime.
    fn evict(&self) -> Action {
        if self.liveness.idle_since().is_none() {
            return Action::Drain;
        }
        self.liveness.close(CloseReason::Evicted);
        Action::Close
    }

    fn enter(&self, mut phase: watch::Receiver<Phase>) -> Option<Action> {
        let entered = *phase.borrow_and_update();
        self.events.push(Box::pin(next_phase(phase)));
        match entered {
            Phase::Serving => None,
            Phase::Draining => {
                self.liveness.drain();
                self.drain()
            }
            Phase::Closing => {
                self.liveness.close(CloseReason::Shutdown);
                Some(Action::Close)
            }
        }
    }

    /// Closes the connection as soon as that loses no request. Responses until then announce it.
    fn drain(&self) -> Option<Action> {
        let when = self.liveness.closable_at();
        if when <= Instant::now() {
            return Some(Action::Drain);
        }
        self.events.push(Box::pin(async move {
            sleep_until(when).await;
            Event::Drain
        }));
        None
    }

    fn check(&mut self) -> Option<Action> {
        match self.liveness.check(self.config) {
            Check::Again(when) => {
                self.check_at(when);
                None
            }
            // The client does not even receive what hyper sends to close the connection.
            Check::CloseIdle if self.is_draining => Some(Action::Close),
            Check::CloseIdle => {
                self.is_draining = true;
                self.check_at(Instant::now() + self.config.head_timeout);
                Some(Action::Drain)
            }
            Check::Abort => {
                self.liveness.close(CloseReason::ClientStalled);
                Some(Action::Close)
            }
        }
    }
}

async fn next_phase(mut phase: watch::Receiver<Phase>) -> Event {
    match phase.changed().await {
        Ok(()) => Event::Phase(phase),
        // A server that is dropped has notified its connections before.
        Err(_) => pending().await,
    }
}
