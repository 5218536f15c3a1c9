//! Arrays of messages, a part of 2025-03-26.

use serde_json::{Value, json};

use super::talk;

fn call(id: u32, tool: &str) -> Value {
    let params = json!({ "name": tool });
    json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params })
}

fn ids(answer: &Value) -> Vec<u64> {
    answer.as_array().unwrap().iter().map(|response| response["id"].as_u64().unwrap()).collect()
}

#[test]
fn an_array_is_answered_by_an_array() {
    let (mut talk, _, gate) = talk();
    talk.initialize("2025-03-26");
    let ping = json!({ "jsonrpc": "2.0", "id": 2, "method": "ping" });
    let told = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
    talk.say(&json!([call(1, "waits"), ping, told, call(3, "nothing")]));
    assert_eq!(talk.answered(), [0; 0]);
    gate.open();
    talk.settle();
    let answer = talk.heard_one();
    assert_eq!(ids(&answer), [1, 2, 3]);
    assert_eq!(answer[2]["error"]["code"], -32602);
}

#[test]
fn notifications_alone_are_not_answered() {
    let (mut talk, _, _) = talk();
    talk.initialize("2025-03-26");
    talk.say(&json!([{ "jsonrpc": "2.0", "method": "notifications/initialized" }]));
    assert!(talk.heard().is_empty());
    talk.say(&json!([]));
    assert_eq!(talk.refusal(), (Value::Null, -32600));
}

#[test]
fn later_versions_have_no_arrays() {
    for version in ["2025-06-18", "2025-11-25"] {
        let (mut talk, _, _) = talk();
        talk.initialize(version);
        talk.say(&json!([call(1, "quick")]));
        assert_eq!(talk.refusal(), (Value::Null, -32600), "{version}");
    }
}

#[test]
fn a_request_in_an_array_can_be_cancelled() {
    let (mut talk, events, gate) = talk();
    talk.initialize("2025-03-26");
    talk.say(&json!([call(1, "waits"), call(2, "waits"), call(3, "waits")]));
    talk.cancel(2);
    assert!(events.take().is_empty(), "it has not begun");
    gate.open();
    talk.settle();
    assert_eq!(ids(&talk.heard_one()), [1, 3]);
    assert_eq!(events.take(), ["dropped", "dropped", "deferred", "deferred"]);
    talk.say(&json!([call(4, "quick")]));
    assert_eq!(ids(&talk.heard_one()), [4]);
}

#[test]
fn an_array_of_which_all_is_cancelled_is_not_answered() {
    let (mut talk, events, _) = talk();
    talk.initialize("2025-03-26");
    talk.say(&json!([call(1, "waits")]));
    talk.say(&json!([{
        "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": 1 },
    }]));
    assert!(talk.heard().is_empty());
    assert_eq!(events.take(), ["dropped", "deferred, cancelled"]);
}
