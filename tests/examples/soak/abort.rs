//! Exchanges that their client leaves: where, how, and after how long.

use std::{fmt, time::Duration};

use fastrand::Rng;
use midge_tests::{Message, Wire};
use serde_json::{Value, json};
use tokio::time::sleep;

/// How far an exchange gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Place {
    /// The head of the request is cut, at the earliest before its first byte.
    Head,
    /// The body of the request is cut.
    Body,
    /// The request is whole, and no answer is read.
    Request,
    /// The head of a long answer is read.
    Answer,
    /// Some events of a stream are read.
    Stream,
}

/// How the client leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Leaving {
    /// Closes; where there is something left to read, the system makes a reset of it.
    Fin,
    /// Resets.
    Rst,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Head => "in the head",
            Self::Body => "in the body",
            Self::Request => "after the request",
            Self::Answer => "in a long answer",
            Self::Stream => "in the stream",
        })
    }
}

/// What a client does before it leaves.
#[derive(Debug)]
pub(crate) struct Abort {
    place: Place,
    leaving: Leaving,
    /// What it sends.
    bytes: Vec<u8>,
    /// What it waits for, and how often.
    until: (&'static str, usize),
    /// How long it stays after that.
    pause: Duration,
}

impl Abort {
    /// Any abort.
    pub(crate) fn random(rng: &mut Rng) -> Self {
        let leaving = if rng.bool() { Leaving::Fin } else { Leaving::Rst };
        let pause = if rng.bool() { 0 } else { rng.u64(1..=20) };
        let (place, bytes, until) = match rng.u8(0..5) {
            0 => (Place::Head, in_the_head(rng), ("", 0)),
            1 => (Place::Body, in_the_body(rng), ("", 0)),
            2 => (Place::Request, slow(rng).bytes(), ("", 0)),
            3 => (Place::Answer, long(rng).bytes(), ("\r\n\r\n", 1)),
            _ => in_the_stream(rng),
        };
        Self { place, leaving, bytes, until, pause: Duration::from_millis(pause) }
    }

    /// What kind of abort it is.
    pub(crate) fn kind(&self) -> (Place, Leaving) {
        (self.place, self.leaving)
    }

    /// Does it.
    pub(crate) async fn run(self, mut wire: Wire) {
        let (text, times) = self.until;
        wire.send(self.bytes).await;
        for _ in 0..times {
            wire.until(text).await;
        }
        sleep(self.pause).await;
        match self.leaving {
            Leaving::Fin => drop(wire),
            Leaving::Rst => wire.reset(),
        }
    }
}

fn in_the_head(rng: &mut Rng) -> Vec<u8> {
    let message = call("sized", json!({"bytes": 100}));
    let mut bytes = message.bytes();
    bytes.truncate(rng.usize(..bytes.len() - message.body.len()));
    bytes
}

fn in_the_body(rng: &mut Rng) -> Vec<u8> {
    let message = call("sized", json!({"bytes": 100, "padding": "x".repeat(rng.usize(..20_000))}));
    let mut bytes = message.bytes();
    bytes.truncate(bytes.len() - rng.usize(1..=message.body.len()));
    bytes
}

/// Most of these have no answer before their client is gone.
fn slow(rng: &mut Rng) -> Message {
    match rng.u8(..16) {
        0 => call("spins", json!({})),
        1..4 => call("sized", json!({"bytes": 1000})),
        4..10 => call("sleeps", json!({"ms": rng.u64(..100)})),
        _ => call("holds", json!({"ms": 60_000})),
    }
}

fn long(rng: &mut Rng) -> Message {
    let message = call("sized", json!({"bytes": rng.usize(100_000..1_000_000)}));
    message.accept("application/json")
}

fn in_the_stream(rng: &mut Rng) -> (Place, Vec<u8>, (&'static str, usize)) {
    let (message, until) = if rng.u8(..4) == 0 {
        (call("holds_streaming", json!({"ms": 60_000})), ("keep-alive", 1))
    } else {
        let (steps, ms) = (20, rng.u64(..5));
        let message = call("progress", json!({"steps": steps, "ms": ms})).with_progress();
        (message, ("data: ", rng.usize(1..=steps)))
    };
    (Place::Stream, message.bytes(), until)
}

fn call(tool: &str, arguments: Value) -> Message {
    Message::call(tool, arguments)
}
