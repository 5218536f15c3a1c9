//! A component of WASI 0.3 that uses what Spin has, run: with one beside it that stands in for Spin.

use std::{fs, time::Duration};

use midge_host::Config;
use midge_tests::{
    Answer, LEAVINGS, Line, Message, Serving, config,
    guests::p3::{PLACES, STANDS_IN_FOR_SPIN},
};
use serde_json::{Value, json};
use tracing::Level;
use wasm_compose::graph::{Component, CompositionGraph, EncodeOptions, ExportIndex};

use crate::upstream::Upstream;

/// The guest and what stands in for Spin as one component, which imports nothing of Spin.
fn composed() -> Vec<u8> {
    // One for both, so that their types can be compared.
    let mut validator = Default::default();
    let mut graph = CompositionGraph::new();
    let [guest, spin] = [("guest", PLACES), ("spin", STANDS_IN_FOR_SPIN)].map(|(name, path)| {
        let component = Component::from_file(&mut validator, name, path);
        let id = graph.add_component(component.expect("it is a component")).expect("it is new");
        (id, graph.instantiate(id).expect("it is there"))
    });
    let exports: Vec<_> = graph.get_component(spin.0).expect("it is there").exports().collect();
    let exports: Vec<(ExportIndex, String)> =
        exports.into_iter().map(|(index, name, ..)| (index, name.to_owned())).collect();
    for (export, name) in exports {
        let component = graph.get_component(guest.0).expect("it is there");
        let (import, _) = component.import_by_name(&name).expect("the guest uses all of it");
        graph.connect(spin.1, Some(export), guest.1, import).expect("they fit");
    }
    let options = EncodeOptions { define_components: true, export: Some(guest.1), validate: false };
    graph.encode(options).expect("they are one")
}

/// Serves it, with what stands in for Spin told by the environment.
async fn serving(env: &[(&str, &str)], config: Config) -> Serving {
    let file = tempfile::NamedTempFile::with_suffix(".wasm").expect("a file");
    fs::write(file.path(), composed()).expect("it is written");
    let env = env.iter().map(|(name, value)| format!("{name}={value}")).collect();
    Serving::with(Config { env, ..config }, file.path()).await
}

async fn call(serving: &Serving, tool: &str, arguments: Value) -> Answer {
    serving.send(&Message::call(tool, arguments)).await
}

/// What the model is told of a failure.
fn refusal(answer: &Answer) -> String {
    assert_eq!(answer.json()["result"]["isError"], true, "{}", answer.text());
    answer.result_text()
}

#[tokio::test]
async fn sqlite_gives_rows() {
    let serving = serving(&[], config()).await;
    let found = call(&serving, "find_places", json!({"higher_than": 1200})).await;
    let places =
        json!([{"name": "Feldberg", "height": 1493}, {"name": "Zugspitze", "height": 2962}]);
    assert_eq!(found.json()["result"]["structuredContent"]["places"], places, "{}", found.text());
    let none = call(&serving, "find_places", json!({"higher_than": 9000})).await;
    assert_eq!(none.json()["result"]["structuredContent"]["places"], json!([]));
    serving.exchanges(2).await;
    serving.assert_noise(0, 0);
}

#[tokio::test]
async fn a_store_keeps_what_is_set_and_an_absent_key_is_none() {
    // What stands in for Spin keeps it in the instance.
    let config = Config { instance_reuse: 100, instance_concurrency: 16, ..config() };
    let serving = serving(&[], config).await;
    let brocken = json!({"name": "Brocken"});
    let nobody = call(&serving, "visits", brocken.clone()).await;
    assert_eq!(refusal(&nobody), "Nobody has been to Brocken yet");
    for visit in 1..=3 {
        let text = call(&serving, "visit", brocken.clone()).await.result_text();
        assert_eq!(text, format!("Visit {visit} to Brocken."));
    }
    assert_eq!(call(&serving, "visits", brocken).await.result_text(), "3");
    refusal(&call(&serving, "visits", json!({"name": "Feldberg"})).await);
}

#[tokio::test]
async fn a_variable_names_the_server_that_is_called() {
    let upstream = Upstream::start().await;
    upstream.set("Brocken", "fog");
    let url = format!("http://{}", upstream.addr());
    let allow_outbound = vec![upstream.addr().to_string().parse().expect("a rule")];
    let granted = Config { allow_outbound, ..config() };
    let forecast =
        async |serving: &Serving| call(serving, "forecast", json!({"name": "Brocken"})).await;

    let granted = serving(&[("SPIN_VARIABLE_FORECASTS", &url)], granted).await;
    assert_eq!(forecast(&granted).await.result_text(), "fog");
    let denied = serving(&[("SPIN_VARIABLE_FORECASTS", &url)], config()).await;
    let told = refusal(&forecast(&denied).await);
    assert!(told.starts_with("No forecast: the operator"), "{told}");
    let undefined = serving(&[], config()).await;
    assert_eq!(refusal(&forecast(&undefined).await), "This server has no forecasts");
}

#[tokio::test]
async fn what_spin_refuses_is_for_the_log_only() {
    for (what, tool, arguments, logged) in [
        ("store", "visit", json!({"name": "Brocken"}), "AccessDenied"),
        ("database", "find_places", json!({"higher_than": 0}), "AccessDenied"),
        ("rows", "find_places", json!({"higher_than": 0}), "the disk is gone"),
    ] {
        let serving = serving(&[("SPIN_DENIES", what)], config()).await;
        let answer = call(&serving, tool, arguments).await;
        assert_eq!(answer.code(), Some(-32603), "{what}: {}", answer.text());
        assert!(!answer.text().contains(logged), "{what}: {}", answer.text());
        serving.exchange().await;
        let output = serving.log().output().join("\n");
        assert!(output.contains(logged), "{what}: {output}");
    }
}

/// Waits until this many handlers wait for Spin.
async fn until_at_work(serving: &Serving, count: usize) {
    let at_work = |line: &&Line| line.get("message") == Some("spin is at work");
    let enough = |lines: &[Line]| lines.iter().filter(at_work).count() >= count;
    serving.log().until("Spin", enough).await;
}

#[tokio::test]
async fn a_client_that_leaves_while_spin_is_at_work_is_an_ordinary_outcome() {
    let visits = Message::call("visits", json!({"name": "Brocken"})).accept("application/json");
    for (how, leave) in LEAVINGS {
        let serving = serving(&[("SPIN_TAKES", "600000")], config()).await;
        let mut wire = serving.wire().await;
        wire.post(&visits).await;
        until_at_work(&serving, 1).await;
        leave(wire);
        let line = serving.exchange().await;
        assert_eq!((line.level, &line["outcome"]), (Level::WARN, "client-gone"), "{how}: {line:?}");
        serving.assert_noise(0, 1);
        serving.assert_serves(&Message::call("find_places", json!({"higher_than": 0}))).await;
    }
}

#[tokio::test]
async fn handlers_wait_for_spin_side_by_side_in_an_instance() {
    let keep_alive = Duration::from_millis(300);
    let config = Config { instance_reuse: 100, instance_concurrency: 16, keep_alive, ..config() };
    let serving = serving(&[("SPIN_TAKES", "600000")], config).await;
    let visits = Message::call("visits", json!({"name": "Brocken"})).accept("application/json");
    let mut wires = Vec::new();
    for count in 1..=8 {
        let mut wire = serving.wire().await;
        wire.post(&visits).await;
        wires.push(wire);
        until_at_work(&serving, count).await;
    }
    assert_eq!(serving.gauges().instances, 1, "all wait in one");
    serving.assert_serves(&Message::call("find_places", json!({"higher_than": 0}))).await;
    drop(wires);
    let gone = |line: &&Line| &line["outcome"] == "client-gone";
    assert_eq!(serving.exchanges(9).await.iter().filter(gone).count(), 8);
}
