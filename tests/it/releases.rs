//! The lowest host versions: the same components under older releases of wasmtime.

use midge_tests::{Message, guests, send};
use serde_json::json;

use crate::{
    conformance::{LEGACY, MODERN},
    hosts::{Release, V36, V48, Wasmtime, leave_in_all_ways, tour},
    sealing,
};

async fn check(name: &str, release: Release) {
    let Some(wasmtime) = Wasmtime::serve_by(release, guests::DEMO, &[]).await else { return };
    tour(&wasmtime).await;
    leave_in_all_ways(&wasmtime).await;
    let env = sealing::variable(&[sealing::OLD]);
    let served = Wasmtime::serve_by(release, guests::CONFORMANCE, &["--env", &env]).await;
    let Some(serving) = served else { return };
    for run in [MODERN, LEGACY] {
        run.against(name, serving.addr(), "").await;
    }
}

#[tokio::test]
async fn v36_serves_the_same_components() {
    check("wasmtime serve 36", V36).await;
}

#[tokio::test]
async fn v48_serves_the_same_components() {
    check("wasmtime serve 48", V48).await;
}

/// wasmtime has `wasi:keyvalue` for trials: a store that is empty whenever it is opened. Release 36
/// has it, too, but another version of `wasi:config`.
#[tokio::test]
async fn stores_of_wasmtime_open_and_keep_nothing() {
    let origin = "https://a.example.com";
    let setting = format!("-Sconfig-var=allowed_origins={origin}");
    let options = ["-Skeyvalue", "-Sconfig", &setting];
    let served = Wasmtime::serve_by(V48, guests::NOTES, &options).await;
    let Some(wasmtime) = served else { return };
    let write = Message::call("write_note", json!({"text": "buy tea"}));
    let written = send(wasmtime.addr(), &write.header("origin", origin)).await;
    let note = &written.json()["result"]["structuredContent"]["note"];
    assert!(note.is_string(), "{}", written.text());
    let read = send(wasmtime.addr(), &Message::call("read_note", json!({"note": note}))).await;
    assert_eq!(read.json()["result"]["isError"], true, "{}", read.text());
    assert!(!wasmtime.printed().contains("trap"), "{}", wasmtime.printed());
}
