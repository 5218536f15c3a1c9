//! Questions to the client, over rounds of exchanges that share nothing but what the client brings.

use midge_host::Config;
use midge_tests::{Answer, LEAVINGS, Message, Serving, config, send};
use serde_json::{Value, json};
use tracing::Level;

use super::guests;
use crate::{
    hosts::Wasmtime,
    sealing::{NEW, OLD, variable},
};

const TOOL: &str = "test_input_required_result_multi_round";
const STATE_TOOL: &str = "test_input_required_result_request_state";

async fn serving(keys: &[&str]) -> Serving {
    let env = if keys.is_empty() { vec![] } else { vec![variable(keys)] };
    Serving::with(Config { env, ..config() }, guests::CONFORMANCE).await
}

/// A call of a client that can ask its user.
fn call(tool: &str) -> Message {
    Message::call(tool, json!({})).meta("clientCapabilities", json!({"elicitation": {}}))
}

/// The same call with the client's answers, and with the state that it was given.
fn retry(call: &Message, id: u64, state: &Value, responses: Value) -> Message {
    call.clone().id(id).edit(|body| {
        body["params"]["inputResponses"] = responses;
        body["params"]["requestState"] = state.clone();
    })
}

fn accepted(key: &str, content: Value) -> Value {
    json!({key: {"action": "accept", "content": content}})
}

/// Checks that an answer asks this, and gives its state.
fn asked(answer: &Answer, key: &str) -> Value {
    assert_eq!(answer.status, 200, "{}", answer.text());
    let result = answer.json()["result"].clone();
    assert_eq!(result["resultType"], "input_required", "{result}");
    let questions = result["inputRequests"].as_object().expect("there are questions");
    assert_eq!(questions.keys().collect::<Vec<_>>(), [key], "{result}");
    assert_eq!(questions[key]["method"], "elicitation/create", "{result}");
    result["requestState"].clone()
}

/// Checks that a state was refused without a word about why, and that nothing is asked.
fn assert_refused(answer: &Answer, what: &str) {
    assert_eq!(answer.status, 200, "{what}: {}", answer.text());
    let error = answer.json()["error"].clone();
    assert_eq!(error["code"], -32602, "{what}: {}", answer.text());
    let message = "Invalid params: `requestState` is not valid for this request";
    assert_eq!(error["message"], message, "{what}");
}

/// The state after one answer: what it holds is needed for the rest.
async fn state_of(serving: &Serving) -> Value {
    let first = asked(&serving.send(&call(TOOL)).await, "step1");
    let name = accepted("step1", json!({"name": "Ada"}));
    asked(&serving.send(&retry(&call(TOOL), 2, &first, name)).await, "step2")
}

/// The last round with this state.
fn last(state: &Value) -> Message {
    retry(&call(TOOL), 3, state, accepted("step2", json!({"color": "green"})))
}

#[tokio::test]
async fn i4_i9_three_rounds_have_three_instances() {
    let serving = serving(&[OLD]).await;
    let mut wire = serving.wire().await;
    let mut round = async |message: Message| {
        wire.post(&message).await;
        let answer = wire.answer().await;
        serving.until_gauges("the instance is gone", |gauges| gauges.instances == 0).await;
        answer
    };
    let first = asked(&round(call(TOOL)).await, "step1");
    let name = accepted("step1", json!({"name": "Ada"}));
    let answer = round(retry(&call(TOOL), 2, &first, name)).await;
    assert_eq!(answer.json()["id"], 2, "the id is that of the round");
    let second = asked(&answer, "step2");
    assert_ne!(first, second, "each round has a state of its own");
    assert_eq!(round(last(&second)).await.result_text(), "Ada likes green.");
    drop(wire);
    for line in serving.exchanges(3).await {
        assert_eq!((&line["outcome"], line.get("name")), ("ok", Some(TOOL)), "{line:?}");
    }
    serving.assert_noise(0, 0);
}

#[tokio::test]
async fn i5_what_is_no_answer_is_asked_for_again() {
    let serving = serving(&[OLD]).await;
    let first = asked(&serving.send(&call(TOOL)).await, "step1");
    for (what, responses) in [
        ("nothing", json!({})),
        ("another key", accepted("other", json!({"name": "Ada"}))),
        ("a key of later", accepted("step2", json!({"color": "green"}))),
        ("no content", json!({"step1": {"action": "accept"}})),
        ("another form", accepted("step1", json!({"name": 7}))),
    ] {
        let answer = serving.send(&retry(&call(TOOL), 2, &first, responses)).await;
        assert_ne!(asked(&answer, "step1"), first, "{what}");
    }
    let malformed = json!({"step1": 7});
    let answer = serving.send(&retry(&call(TOOL), 2, &first, malformed)).await;
    assert_eq!((answer.status.as_u16(), answer.code()), (200, Some(-32602)), "{}", answer.text());
    serving.exchanges(7).await;
    serving.assert_noise(0, 0);
}

#[tokio::test]
async fn i11_who_declines_is_not_asked_again() {
    let serving = serving(&[OLD]).await;
    let state = state_of(&serving).await;
    for (action, says) in [("decline", "declined"), ("cancel", "dismissed")] {
        let answer = json!({"step2": {"action": action}});
        let answer = serving.send(&retry(&call(TOOL), 3, &state, answer)).await;
        assert_eq!(answer.json()["result"]["isError"], true, "{}", answer.text());
        assert!(answer.result_text().contains(says), "{}", answer.text());
    }
    let lines = serving.exchanges(4).await;
    // An exchange may be over after the next one.
    let refused = lines.iter().filter(|line| &line["outcome"] == "tool-error");
    assert_eq!(refused.count(), 2, "{lines:?}");
    serving.assert_noise(0, 0);
}

#[tokio::test]
async fn i6_a_tampered_state_is_refused() {
    let serving = serving(&[OLD]).await;
    let state = state_of(&serving).await;
    let text = state.as_str().expect("a state is text");
    let flipped = |at: usize| {
        let mut bytes = text.as_bytes().to_vec();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        json!(String::from_utf8(bytes).expect("text"))
    };
    let middle = text.len() / 2;
    let longer = format!("{text}A");
    let mut count = 2;
    for (what, state) in [
        ("its first letter", flipped(0)),
        ("its middle", flipped(middle)),
        ("its last but one", flipped(text.len() - 2)),
        ("half of it", json!(text[..middle])),
        ("more than it", json!(longer)),
        ("nothing", json!("")),
        ("nonsense", json!("\u{1F980} not a state")),
    ] {
        assert_refused(&serving.send(&last(&state)).await, what);
        count += 1;
    }
    assert_eq!(serving.send(&last(&state)).await.result_text(), "Ada likes green.", "the real one");
    serving.exchanges(count + 1).await;
    serving.assert_noise(0, 0);
    let output = serving.log().output();
    let refused = output.iter().filter(|line| line.contains("a request state was refused: "));
    assert_eq!(refused.count(), count - 2, "the log knows why: {output:#?}");
}

#[tokio::test]
async fn i7_a_state_is_good_for_its_own_call_only() {
    let serving = serving(&[OLD]).await;
    let state = state_of(&serving).await;
    let other = retry(&call(STATE_TOOL), 3, &state, accepted("confirm", json!({"ok": true})));
    assert_refused(&serving.send(&other).await, "another tool");
    let arguments = last(&state).edit(|body| body["params"]["arguments"] = json!({"more": 1}));
    assert_refused(&serving.send(&arguments).await, "other arguments");
    serving.exchanges(4).await;
    serving.assert_noise(0, 0);
}

/// The other process is another host, too.
#[tokio::test]
async fn i8_a_state_is_good_in_another_process_with_the_same_keys() {
    let here = serving(&[OLD]).await;
    let env = variable(&[OLD]);
    let Some(there) = Wasmtime::serve_with(guests::CONFORMANCE, &[&env]).await else { return };
    let first = asked(&here.send(&call(TOOL)).await, "step1");
    let name = accepted("step1", json!({"name": "Ada"}));
    let answer = send(there.addr(), &retry(&call(TOOL), 2, &first, name)).await;
    let second = asked(&answer, "step2");
    assert_eq!(here.send(&last(&second)).await.result_text(), "Ada likes green.", "there and back");
    here.exchanges(2).await;
    here.assert_noise(0, 0);
}

#[tokio::test]
async fn i8_states_outlive_the_rotation_of_keys() {
    let state = state_of(&serving(&[OLD]).await).await;
    let both = serving(&[NEW, OLD]).await;
    assert_eq!(both.send(&last(&state)).await.result_text(), "Ada likes green.", "the old key");
    let newer = state_of(&both).await;
    let rotated = serving(&[NEW]).await;
    assert_eq!(rotated.send(&last(&newer)).await.result_text(), "Ada likes green.", "the new key");
    assert_refused(&rotated.send(&last(&state)).await, "the old key is gone");
    rotated.exchanges(2).await;
    rotated.assert_noise(0, 0);
}

#[tokio::test]
async fn z2_without_keys_nothing_is_asked_and_the_log_says_why() {
    let serving = serving(&[]).await;
    let without = |tool: &str, responses: Value| {
        call(tool).edit(|body| body["params"]["inputResponses"] = responses)
    };
    let name = accepted("user_name", json!({"name": "Ada"}));
    let one_round = without("test_input_required_result_elicitation", name);
    assert_eq!(serving.send(&one_round).await.result_text(), "Hello, Ada!", "one round is enough");
    let answers = without(TOOL, accepted("step1", json!({"name": "Ada"})));
    let asking = [("a question", call(TOOL)), ("an answer", answers), ("a step", call(STATE_TOOL))];
    for (what, message) in asking {
        let answer = serving.send(&message).await;
        assert_eq!((answer.status.as_u16(), answer.code()), (500, Some(-32603)), "{what}");
        assert!(!answer.text().contains("KEY"), "not for clients: {}", answer.text());
    }
    assert_refused(&serving.send(&last(&json!("made up"))).await, "nobody has made this state");
    let lines = serving.exchanges(5).await;
    let outcomes: Vec<_> = lines.iter().map(|line| &line["outcome"]).collect();
    assert_eq!(outcomes[0], "ok", "{lines:#?}");
    assert_eq!(outcomes[1..], ["protocol-error"; 4], "{lines:#?}");
    let levels: Vec<_> = lines.iter().map(|line| line.level).collect();
    let (info, warn) = (Level::INFO, Level::WARN);
    assert_eq!(
        levels,
        [info, warn, warn, warn, info],
        "an internal error is a warning: {lines:#?}"
    );
    let output = serving.log().output();
    let told = output.iter().filter(|line| line.contains("set MIDGE_SEALING_KEYS"));
    assert_eq!(told.count(), 4, "the log says what to do: {output:#?}");
}

#[tokio::test]
async fn a_client_that_does_not_come_back_leaves_nothing() {
    let serving = serving(&[OLD]).await;
    for (_, leave) in LEAVINGS {
        let mut wire = serving.wire().await;
        wire.post(&call(TOOL)).await;
        asked(&wire.answer().await, "step1");
        leave(wire);
    }
    for line in serving.exchanges(2).await {
        assert_eq!(&line["outcome"], "ok", "{line:?}");
    }
    serving.assert_noise(0, 0);
    assert!(serving.log().output().is_empty(), "{:?}", serving.log().output());
}

#[tokio::test]
async fn i3_a_client_that_cannot_be_asked_is_told_what_it_lacks() {
    let serving = serving(&[OLD]).await;
    for (capabilities, kind) in [(json!({}), "no"), (json!({"sampling": {}}), "another")] {
        let answer = serving.send(&call(TOOL).meta("clientCapabilities", capabilities)).await;
        assert_eq!((answer.status.as_u16(), answer.code()), (400, Some(-32021)), "{kind}");
        let required = &answer.json()["error"]["data"]["requiredCapabilities"];
        assert!(required["elicitation"].is_object(), "{required}");
    }
    let legacy = serving.send(&Message::legacy_call(TOOL, json!({}))).await;
    assert_eq!(legacy.json()["result"]["isError"], true, "{}", legacy.text());
    assert!(legacy.result_text().contains("2026-07-28"), "{}", legacy.text());
    serving.exchanges(3).await;
    serving.assert_noise(0, 0);
}
