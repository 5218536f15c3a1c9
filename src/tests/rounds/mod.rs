//! Requests that take several rounds, over whole exchanges: each round has a server of its own.

mod answers;
mod questions;
mod state;
mod steps;

use serde_json::{Value, json};

use super::wire::{Seen, Wire, modern_meta};

const KEY: &str = "a:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const OTHER: &str = "b://///////////////////////////////////////w8=";

/// What a form asks for, in most tests.
#[derive(serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
struct Name {
    /// Yours.
    #[schemars(length(min = 2))]
    name: String,
}

/// A request that a client repeats in every round.
#[derive(Clone)]
struct Request {
    method: &'static str,
    params: Value,
    capabilities: Value,
}

impl Request {
    /// By a client that can do everything.
    fn new(method: &'static str, params: Value) -> Self {
        let capabilities = json!({ "elicitation": { "form": {}, "url": {} }, "roots": {} });
        Self { method, params, capabilities }
    }

    fn call(tool: &str, arguments: Value) -> Self {
        Self::new("tools/call", json!({ "name": tool, "arguments": arguments }))
    }

    fn prompt(name: &str) -> Self {
        Self::new("prompts/get", json!({ "name": name }))
    }

    fn read(uri: &str) -> Self {
        Self::new("resources/read", json!({ "uri": uri }))
    }

    fn capabilities(self, capabilities: Value) -> Self {
        Self { capabilities, ..self }
    }

    /// The first round.
    fn ask(&self) -> Wire {
        self.with(&json!({}))
    }

    /// The next round: with answers to what was asked, and its state.
    fn answer(&self, asked: &Value, responses: Value) -> Wire {
        assert_eq!(asked["resultType"], "input_required", "{asked}");
        let mut input = json!({ "inputResponses": responses });
        if let Some(state) = asked.get("requestState") {
            input["requestState"] = state.clone();
        }
        self.with(&input)
    }

    fn with(&self, input: &Value) -> Wire {
        let mut params = self.params.clone();
        let mut meta = modern_meta();
        meta["io.modelcontextprotocol/clientCapabilities"] = self.capabilities.clone();
        params["_meta"] = meta;
        for (key, value) in input.as_object().unwrap() {
            params[key] = value.clone();
        }
        Wire::modern(self.method, params)
    }
}

/// The keys of the questions in a result.
fn asked(result: &Value) -> Vec<&str> {
    assert_eq!(result["resultType"], "input_required", "{result}");
    result["inputRequests"].as_object().unwrap().keys().map(String::as_str).collect()
}

fn accept(content: Value) -> Value {
    json!({ "action": "accept", "content": content })
}

/// The text of a tool's result, and whether it is an error.
#[track_caller]
fn text(seen: &Seen) -> (String, bool) {
    let result = seen.result();
    let text = result["content"][0]["text"].as_str();
    let text = text.unwrap_or_else(|| panic!("no text: {result}"));
    (text.to_owned(), result["isError"] == json!(true))
}

fn said(text: &str) -> (String, bool) {
    (text.to_owned(), false)
}
