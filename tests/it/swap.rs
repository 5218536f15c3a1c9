//! Another guest takes over while exchanges are at work.

use midge_tests::{Message, Serving, guests, join};
use serde_json::json;

fn greet() -> Message {
    Message::call("greet", json!({"name": "you"}))
}

#[tokio::test]
async fn exchanges_at_work_keep_their_guest() {
    let serving = Serving::of(guests::ANSWERS).await;
    let mut wire = serving.wire().await;
    wire.post(&Message::call("progress", json!({"steps": 3, "ms": 100})).with_progress()).await;
    wire.until("\"progress\":1").await;
    serving.handle().swap(serving.load(guests::HELLO));
    assert_eq!(serving.send(&greet()).await.result_text(), "Hello, you!", "the new guest");
    assert_eq!(serving.gauges().instances, 1, "while the old one is at work");
    assert!(wire.until("3 steps").await.contains("\"progress\":3"), "to its end");
    wire.until("0\r\n\r\n").await;
    wire.post(&greet()).await;
    let answer = wire.answer().await;
    assert_eq!(answer.result_text(), "Hello, you!", "then the new guest serves its connection");
    drop(wire);
    serving.exchanges(3).await;
    serving.assert_noise(0, 0);
}

#[tokio::test]
async fn no_exchange_is_lost_in_many_swaps() {
    let serving = std::sync::Arc::new(Serving::of(guests::HELLO).await);
    let (hello, demo) = (serving.load(guests::HELLO), serving.load(guests::DEMO));
    let clients: Vec<_> = (0..4)
        .map(|_| {
            let serving = serving.clone();
            tokio::spawn(async move {
                for _ in 0..25 {
                    assert_eq!(serving.send(&greet()).await.result_text(), "Hello, you!", "swap");
                }
            })
        })
        .collect();
    while !clients.iter().all(tokio::task::JoinHandle::is_finished) {
        serving.handle().swap(demo.clone());
        tokio::task::yield_now().await;
        serving.handle().swap(hello.clone());
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
    for client in clients {
        join("a client", client).await;
    }
    serving.exchanges(100).await;
    serving.assert_noise(0, 0);
}
