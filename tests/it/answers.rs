//! What a client gets, of every size and in every form.

use midge_tests::{Message, Serving, guests};
use serde_json::json;

#[tokio::test]
async fn a_call_is_answered() {
    let serving = Serving::of(guests::HELLO).await;
    let answer = serving.send(&Message::call("greet", json!({"name": "you"}))).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.result_text(), "Hello, you!", "the tool's own words");
    let line = serving.exchange().await;
    assert_eq!(&line["outcome"], "ok", "the line of the exchange");
    serving.assert_noise(0, 0);
}

#[tokio::test]
async fn every_size_arrives_whole() {
    let serving = Serving::of(guests::ANSWERS).await;
    for bytes in [0, 3_000, 5_000, 300_000, 9_000_000] {
        for accept in ["application/json", "text/event-stream"] {
            let call = Message::call("sized", json!({"bytes": bytes})).accept(accept);
            let answer = serving.send(&call).await;
            assert!(answer.complete, "{bytes} bytes of {accept} end as they should");
            assert_eq!(answer.header("content-type"), Some(accept), "what was asked for");
            let text = answer.result_text();
            assert_eq!(text.len(), bytes, "{bytes} bytes of {accept}");
            let last = text.len().saturating_sub(1) / 8;
            assert!(text.is_empty() || text[last * 8..].starts_with(&format!("{last:07}")[..1]));
        }
    }
    serving.exchanges(10).await;
    serving.assert_noise(0, 0);
}
