//! Stores of the host, which outlive the instances that write to them.

use midge_host::Config;
use midge_tests::{Answer, Message, Serving, config, guests, soon};
use serde_json::{Value, json};
use tracing::Level;

fn granted(names: &[&str]) -> Config {
    Config { keyvalue: names.iter().map(ToString::to_string).collect(), ..config() }
}

async fn notes(guest: &str) -> Serving {
    Serving::with(granted(&["default"]), guest).await
}

fn call_as(user: &str, tool: &str, arguments: Value) -> Message {
    Message::call(tool, arguments).header("x-verified-subject", user)
}

async fn write(serving: &Serving, user: &str, text: &str) -> String {
    let answer = serving.send(&call_as(user, "write_note", json!({"text": text}))).await;
    let note = &answer.json()["result"]["structuredContent"]["note"];
    note.as_str().unwrap_or_else(|| panic!("no handle in {}", answer.text())).to_owned()
}

async fn ask(serving: &Serving, user: &str, tool: &str, note: &str) -> Answer {
    serving.send(&call_as(user, tool, json!({"note": note}))).await
}

/// What a model is told of a note that it may not have.
fn refusal(answer: &Answer) -> String {
    assert_eq!(answer.json()["result"]["isError"], true, "{}", answer.text());
    answer.result_text()
}

async fn check_notes(guest: &str) {
    let serving = notes(guest).await;
    let note = write(&serving, "ada", "buy tea").await;
    let other = write(&serving, "ada", "buy tea").await;
    assert!(note != other && note.len() == 24, "{note} and {other} cannot be guessed");
    assert_eq!(ask(&serving, "ada", "read_note", &note).await.result_text(), "buy tea");
    let line = json!({"note": note, "text": "and cake"});
    let appended = serving.send(&call_as("ada", "append_note", line)).await;
    assert_eq!(appended.result_text(), "buy tea\nand cake", "another instance");

    let foreign = refusal(&ask(&serving, "eve", "read_note", &note).await);
    let unknown =
        refusal(&ask(&serving, "eve", "read_note", &other.replace(['A', 'a'], "b")).await);
    let anything = refusal(&ask(&serving, "eve", "read_note", &"x".repeat(10_000)).await);
    assert_eq!(foreign, unknown, "nobody is told that there is one");
    assert_eq!(foreign, anything);
    let anonymous = serving.send(&Message::call("read_note", json!({"note": note}))).await;
    assert_eq!(refusal(&anonymous), foreign);
    refusal(&ask(&serving, "eve", "delete_note", &note).await);

    assert_eq!(ask(&serving, "ada", "delete_note", &note).await.result_text(), "Forgotten.");
    assert_eq!(refusal(&ask(&serving, "ada", "read_note", &note).await), foreign);
    assert_eq!(ask(&serving, "ada", "read_note", &other).await.result_text(), "buy tea");
    serving.until_idle().await;
    serving.assert_noise(0, 0);
}

#[tokio::test]
async fn k1_notes_outlive_the_exchange_that_writes_them() {
    check_notes(guests::NOTES).await;
}

#[tokio::test]
async fn k1_the_build_for_spin_does_the_same_by_its_version_of_the_draft() {
    check_notes(guests::NOTES_SPIN).await;
}

#[tokio::test]
async fn k2_two_components_of_one_host_share_a_store() {
    let serving = notes(guests::NOTES).await;
    let note = write(&serving, "ada", "shared").await;
    serving.handle().swap(serving.load(guests::NOTES_SPIN));
    assert_eq!(ask(&serving, "ada", "read_note", &note).await.result_text(), "shared");
}

#[tokio::test]
async fn k3_exchanges_that_count_at_once_lose_nothing() {
    let serving = Serving::with(granted(&["default"]), guests::CONFIGURED).await;
    let count = Message::call("count", json!({"name": "visits"}));
    let sends = (0..12).map(|_| {
        let (addr, count) = (serving.addr(), count.clone());
        tokio::spawn(async move { midge_tests::send(addr, &count).await.result_text() })
    });
    let mut counted = Vec::new();
    for sent in sends.collect::<Vec<_>>() {
        let number = soon("a count", sent).await.expect("it is answered");
        counted.push(number.parse::<u32>().expect("a number"));
    }
    counted.sort_unstable();
    assert_eq!(counted, (1..=12).collect::<Vec<_>>());
}

#[tokio::test]
async fn k4_what_was_written_before_a_client_left_stays_and_nothing_else() {
    let serving = Serving::with(granted(&["default"]), guests::CONFIGURED).await;
    let mut wire = serving.wire().await;
    wire.post(&Message::call("write_and_wait", json!({})).with_progress()).await;
    wire.until("progress").await;
    drop(wire);
    let line = serving.exchange().await;
    assert_eq!(&line["outcome"], "client-gone");
    let keys = serving.send(&Message::call("keys", json!({}))).await;
    assert_eq!(keys.json()["result"]["structuredContent"]["keys"], json!(["before"]));
}

#[tokio::test]
async fn k5_no_store_opens_that_was_not_named() {
    let serving = Serving::with(granted(&["mine"]), guests::CONFIGURED).await;
    let open = async |name: &str| serving.send(&Message::call("open", json!({"name": name}))).await;
    assert_eq!(open("mine").await.result_text(), "open");
    for name in ["default", "", "Mine"] {
        let refused = open(name).await;
        assert_eq!(refusal(&refused), "the host does not grant this key-value store", "{name}");
    }
    let serving = Serving::of(guests::NOTES).await;
    let answer = serving.send(&call_as("ada", "write_note", json!({"text": "x"}))).await;
    assert_eq!(answer.code(), Some(-32603), "{}", answer.text());
    let output = serving.log().output().join("\n");
    assert!(output.contains("the host does not grant this key-value store"), "{output}");
}

#[tokio::test]
async fn k6_a_full_store_says_so_and_goes_on() {
    let config = Config { keyvalue_size: 100_000, ..granted(&["default"]) };
    let serving = Serving::with(config, guests::CONFIGURED).await;
    let fill = async |name: &str, bytes: usize| {
        serving.send(&Message::call("fill", json!({"name": name, "bytes": bytes}))).await
    };
    assert_eq!(fill("a", 60_000).await.result_text(), "done");
    let full = refusal(&fill("b", 60_000).await);
    assert!(full.contains("full: they have 100000 bytes"), "{full}");
    assert_eq!(fill("a", 1000).await.result_text(), "done");
    assert_eq!(fill("b", 60_000).await.result_text(), "done");
    serving.until_idle().await;
    assert!(serving.log().at(Level::WARN).is_empty());
}
