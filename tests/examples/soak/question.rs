//! Good exchanges: what is asked, and what the answer must be.

use fastrand::Rng;
use midge_tests::{Answer, Message};
use serde_json::{Value, json};

/// The longest text that is asked for, in bytes: more than one frame, less than a socket takes.
const MAX_TEXT: usize = 64 << 10;

/// A call of a tool of the guest `answers`.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    id: u32,
    legacy: bool,
    tool: Tool,
}

#[derive(Clone, Debug)]
enum Tool {
    Sized { bytes: usize },
    Sleeps { ms: u64 },
    EchoHeader { value: String },
    Deferred { ms: u64 },
    Progress { steps: u32, ms: u64 },
}

impl Question {
    /// Any question.
    pub(crate) fn random(rng: &mut Rng) -> Self {
        Self { id: rng.u32(..), legacy: rng.bool(), tool: Tool::random(rng) }
    }

    /// The request.
    pub(crate) fn message(&self) -> Message {
        let (name, arguments) = self.tool.call();
        let call = if self.legacy { Message::legacy_call } else { Message::call };
        let message = call(name, arguments).id(self.id);
        match &self.tool {
            Tool::EchoHeader { value } => message.header("x-soak", value),
            Tool::Progress { .. } => message.with_progress(),
            _ => message,
        }
    }

    /// Panics unless this is the answer.
    pub(crate) fn check(&self, answer: &Answer) {
        assert!(answer.complete, "{self:?}: the answer is cut short");
        assert_eq!(answer.status, 200, "{self:?}: {}", answer.text());
        let json = answer.json();
        assert_eq!(json["id"], self.id, "{self:?}: the id");
        assert!(answer.result_text() == self.tool.text(), "{self:?}: the text");
        if let Tool::Progress { steps, .. } = self.tool {
            let mut events = answer.events();
            events.pop();
            let told: Vec<Value> = events.iter().map(progress).collect();
            let due: Vec<Value> = (1..=steps).map(|step| json!(f64::from(step))).collect();
            assert_eq!(told, due, "{self:?}: the progress");
        }
    }
}

impl Tool {
    fn random(rng: &mut Rng) -> Self {
        match rng.u8(0..5) {
            0 => Self::Sized { bytes: rng.usize(0..=MAX_TEXT) },
            1 => Self::Sleeps { ms: rng.u64(0..=20) },
            2 => Self::EchoHeader { value: format!("{:x}", rng.u128(..)) },
            3 => Self::Deferred { ms: rng.u64(0..=20) },
            _ => Self::Progress { steps: rng.u32(1..=10), ms: rng.u64(0..=3) },
        }
    }

    fn call(&self) -> (&'static str, Value) {
        match self {
            Self::Sized { bytes } => ("sized", json!({"bytes": bytes})),
            Self::Sleeps { ms } => ("sleeps", json!({"ms": ms})),
            Self::EchoHeader { .. } => ("echo_header", json!({"name": "x-soak"})),
            Self::Deferred { ms } => ("deferred", json!({"ms": ms})),
            Self::Progress { steps, ms } => ("progress", json!({"steps": steps, "ms": ms})),
        }
    }

    /// What the tool says.
    fn text(&self) -> String {
        match self {
            Self::Sized { bytes } => text(*bytes),
            Self::Sleeps { ms } => format!("slept {ms} ms"),
            Self::EchoHeader { value } => value.clone(),
            Self::Deferred { .. } => "answered".to_owned(),
            Self::Progress { steps, .. } => format!("{steps} steps"),
        }
    }
}

/// As the tool `sized` writes it.
fn text(bytes: usize) -> String {
    let mut text: String = (0..bytes.div_ceil(8)).map(|n| format!("{n:07} ")).collect();
    text.truncate(bytes);
    text
}

/// How far it is, if the event is about our progress.
fn progress(event: &Value) -> Value {
    let params = &event["params"];
    assert_eq!(event["method"], "notifications/progress", "{event}");
    assert_eq!(params["progressToken"], "token", "{event}");
    params["progress"].clone()
}
