//! What belongs to a deployment comes from the host.

use midge_host::Config;
use midge_tests::{Answer, Message, Serving, config, guests};
use serde_json::json;

use crate::sealing::{NEW, OLD, variable};

async fn configured(env: &[String], wasi_config: &[String]) -> Serving {
    let (env, wasi_config) = (env.to_vec(), wasi_config.to_vec());
    Serving::with(Config { env, wasi_config, ..config() }, guests::CONFIGURED).await
}

async fn hide(serving: &Serving) -> Answer {
    serving.send(&Message::call("hide", json!({"word": "swordfish"}))).await
}

async fn show(serving: &Serving, hidden: &Answer) -> Answer {
    let handle = &hidden.json()["result"]["structuredContent"]["handle"];
    serving.send(&Message::call("show", json!({"handle": handle}))).await
}

#[tokio::test]
async fn c1_keys_come_from_wasi_config_and_else_from_the_environment() {
    let setting = |key: &str| format!("sealing_keys={key}");
    let both = configured(&[variable(&[NEW])], &[setting(OLD)]).await;
    let hidden = hide(&both).await;
    let fallback = configured(&[variable(&[OLD])], &[]).await;
    assert_eq!(show(&fallback, &hidden).await.result_text(), "swordfish", "by the same key");
    let other = configured(&[], &[setting(NEW)]).await;
    assert_eq!(show(&other, &hidden).await.json()["result"]["isError"], true, "by another");
}

#[tokio::test]
async fn c2_keys_that_are_nowhere_are_for_the_log_only() {
    let serving = configured(&[], &[]).await;
    let answer = hide(&serving).await;
    assert_eq!(answer.code(), Some(-32603), "{}", answer.text());
    assert!(!answer.text().contains("sealing"), "{}", answer.text());
    serving.exchange().await;
    let output = serving.log().output().join("\n");
    assert!(output.contains("the configuration has no `sealing_keys`"), "{output}");
}

#[tokio::test]
async fn c3_origins_come_from_the_configuration() {
    let origins = "allowed_origins=https://a.example.com, https://b.example.com".to_owned();
    let serving = configured(&[], &[origins]).await;
    let from = async |origin: &str| {
        let discover = Message::modern("server/discover", json!({}));
        serving.send(&discover.header("origin", origin)).await
    };
    for origin in ["https://a.example.com", "https://B.example.com"] {
        let answer = from(origin).await;
        assert_eq!(answer.status, 200, "{origin}: {}", answer.text());
        assert_eq!(answer.header("access-control-allow-origin"), Some(origin));
    }
    for origin in ["https://c.example.com", "https://a.example.com,", "", "null"] {
        assert_eq!(from(origin).await.status, 403, "{origin}");
    }
}

#[tokio::test]
async fn c4_handlers_read_their_own_values() {
    let serving = configured(&[], &["api=https://api.example.com".to_owned()]).await;
    let value =
        async |name: &str| serving.send(&Message::call("value", json!({"name": name}))).await;
    assert_eq!(value("api").await.result_text(), "https://api.example.com");
    assert_eq!(value("API").await.json()["result"]["isError"], true);
}
