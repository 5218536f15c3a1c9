//! An instance does not see what another one has left in memory. The example `isolation` does the same
//! for longer.

use std::path::Path;

use midge_host::Config;
use midge_tests::{Message, Serving, config, guests, join};
use serde_json::json;

/// Connections, which call at the same time.
const CONNECTIONS: usize = 4;
/// Calls on each.
const CALLS: usize = 100;

fn stains(tool: &str, pages: usize) -> Message {
    Message::call(tool, json!({ "pages": pages })).accept("application/json")
}

/// Calls a tool of the guest `stains` many times on connections that are kept. Each call must find its
/// memory clean and of the initial size.
async fn assert_no_stains(guest: impl AsRef<Path>, tool: &'static str) -> Serving {
    let serving = Serving::of(guest).await;
    let first = serving.send(&stains(tool, 1)).await.result_text();
    assert!(first.starts_with("0 stains: "), "{first}");
    let mut clients = Vec::new();
    for client in 0..CONNECTIONS {
        let (mut wire, expected) = (serving.wire().await, first.clone());
        clients.push(tokio::spawn(async move {
            for call in 0..CALLS {
                wire.post(&stains(tool, 1 + (client + call) % 16)).await;
                assert_eq!(wire.answer().await.result_text(), expected, "call {call}");
            }
        }));
    }
    for client in clients {
        join("a client", client).await;
    }
    serving.exchanges(1 + CONNECTIONS * CALLS).await;
    serving.assert_noise(0, 0);
    serving
}

#[tokio::test]
async fn an_instance_of_the_fast_path_starts_with_clean_memory() {
    let serving = assert_no_stains(guests::STAINS, "stains").await;
    assert!(serving.log().attempts().iter().all(Option::is_none), "all of them on the fast path");
}

#[tokio::test]
async fn an_instance_of_a_component_starts_with_clean_memory() {
    let serving = assert_no_stains(guests::STAINS, "stains_of_a_component").await;
    assert!(serving.log().attempts().iter().all(Option::is_some), "none of them on the fast path");
}

#[tokio::test]
async fn an_instance_of_wasi_0_3_starts_with_clean_memory() {
    assert_no_stains(guests::p3::STAINS, "stains").await;
}

#[tokio::test]
async fn an_instance_that_is_reused_has_stains() {
    let serving = Serving::with(Config { instance_reuse: 2, ..config() }, guests::p3::STAINS).await;
    let first = serving.send(&stains("stains", 1)).await.result_text();
    assert!(first.starts_with("0 stains: "), "{first}");
    let second = serving.send(&stains("stains", 1)).await.result_text();
    let expected =
        "9217 stains: 1 in the counter, 8192 in zeroed, 1024 in initialized and 0 in grown";
    assert!(second.starts_with(expected), "the tool finds them: {second}");
}
