//! Values that live in the client while every exchange has an instance of its own.

use midge_host::Config;
use midge_tests::{Message, Serving, config, guests};
use serde_json::{Value, json};

pub(crate) const OLD: &str = "old:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
pub(crate) const NEW: &str = "new:HxwdHh8AAQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRo=";

/// The environment variable with these keys.
pub(crate) fn variable(keys: &[&str]) -> String {
    format!("MIDGE_SEALING_KEYS={}", keys.join(" "))
}

async fn shop(keys: &[&str]) -> Serving {
    let env = vec![variable(keys)];
    Serving::with(Config { env, ..config() }, guests::CART).await
}

async fn add(serving: &Serving, name: &str, cart: Option<&str>) -> Value {
    let message = Message::call("add", json!({"name": name, "cart": cart}));
    serving.send(&message).await.json()["result"].clone()
}

/// The total, and the handle for the next call.
fn added(result: &Value) -> (u64, String) {
    let content = &result["structuredContent"];
    let total = content["total"].as_u64().unwrap_or_else(|| panic!("no total in {result}"));
    (total, content["cart"].as_str().expect("a handle is a string").to_owned())
}

#[tokio::test]
async fn t12_a_cart_grows_over_exchanges() {
    let serving = shop(&[OLD]).await;
    let (total, cart) = added(&add(&serving, "tea", None).await);
    assert_eq!(total, 250, "a cart of its own");
    let (total, _) = added(&add(&serving, "cake", Some(&cart)).await);
    assert_eq!(total, 650, "both");
    let (again, other) = added(&add(&serving, "cake", Some(&cart)).await);
    assert_eq!(again, 650, "the first handle is still good");
    assert_ne!(other, cart, "another handle each time");
    let refused = add(&serving, "cake", Some(&format!("{cart}A"))).await;
    assert_eq!(refused["isError"], true, "{refused}");
    serving.exchanges(4).await;
    serving.assert_noise(0, 0);
}

#[tokio::test]
async fn i8_keys_are_rotated_by_restarts() {
    let (_, cart) = added(&add(&shop(&[OLD]).await, "tea", None).await);
    let (total, cart_of_both) = added(&add(&shop(&[NEW, OLD]).await, "tea", Some(&cart)).await);
    assert_eq!(total, 500, "the old key opens");
    let rotated = shop(&[NEW]).await;
    assert_eq!(
        added(&add(&rotated, "tea", Some(&cart_of_both)).await).0,
        750,
        "the new one sealed"
    );
    let refused = add(&rotated, "tea", Some(&cart)).await;
    assert_eq!(refused["isError"], true, "the old key is gone: {refused}");
}

#[tokio::test]
async fn z2_keys_that_are_missing_or_wrong_are_for_the_log_only() {
    let cases = [
        (vec![], "set MIDGE_SEALING_KEYS; `midge key` makes one"),
        (vec!["MIDGE_SEALING_KEYS=a:c2hvcnQ=".to_owned()], "the sealing key `a` is not 32 bytes"),
    ];
    for (env, says) in cases {
        let serving = Serving::with(Config { env, ..config() }, guests::CART).await;
        let answer = serving.send(&Message::call("add", json!({"name": "tea"}))).await;
        assert_eq!(answer.code(), Some(-32603), "{}", answer.text());
        assert!(!answer.text().contains("seal"), "{}", answer.text());
        serving.exchange().await;
        let output = serving.log().output().join("\n");
        assert!(output.contains(says), "{output}");
        assert!(!output.contains("c2hvcnQ"), "{output}");
    }
}
