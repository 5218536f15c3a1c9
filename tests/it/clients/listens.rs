//! Modern clients that listen to changes, which they make themselves: by a call, and so by another
//! instance.

use std::time::Duration;

use midge_tests::{Serving, guests};
use rmcp::{
    RoleClient,
    model::{
        CallToolRequestParams, ReadResourceRequestParams, ServerNotification, SubscriptionFilter,
    },
    service::{ClientServiceExt, Peer, Subscription, SubscriptionEnd},
    transport::StreamableHttpClientTransport,
};
use serde::Deserialize;
use serde_json::{Value, json};
use tracing::Level;

use super::{TOUR, available, modern, node, reported, tell};
use crate::{on_p2::subscriptions::grants, upstream::Upstream};

/// Long enough to make two changes on a slow machine; the client waits for the end.
const LIFETIME: Duration = Duration::from_secs(4);

/// What a client saw; the script prints it as JSON.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Seen {
    /// What the server has agreed to tell.
    honoured: Value,
    /// What it has told, over two subscriptions.
    told: Vec<String>,
    /// What the client read when it was told the first time.
    read: String,
    /// How the two subscriptions ended.
    ends: Vec<String>,
}

impl Seen {
    fn check(&self) {
        let honoured = json!({"toolsListChanged": true, "resourceSubscriptions": ["news://today"]});
        assert_eq!(self.honoured, honoured, "{self:#?}");
        assert_eq!(self.told, ["news://today", "tools", "news://today"], "{self:#?}");
        assert_eq!(self.read, "rain", "{self:#?}");
        assert_eq!(self.ends, ["graceful", "local"], "{self:#?}");
    }
}

async fn serving(upstream: &Upstream) -> Serving {
    Serving::with(grants(upstream, LIFETIME), guests::SUBSCRIBES).await
}

/// Checks that the log knows of one client that has left, and of nothing else.
async fn check_log(serving: &Serving) {
    let gone = |line: &midge_tests::Line| line.level == Level::WARN;
    serving.log().until("the end of both", |lines| lines.iter().any(gone)).await;
    serving.until_idle().await;
    serving.assert_noise(0, 1);
    let lines = serving.log().exchanges();
    let listened = lines.iter().filter(|line| line.get("method") == Some("subscriptions/listen"));
    let ends: Vec<_> = listened.map(|line| &line["outcome"]).collect();
    assert_eq!(ends, ["ok", "client-gone"], "{lines:#?}");
}

async fn publish(client: &Peer<RoleClient>, name: &str, version: &str) {
    let arguments = json!({"name": name, "version": version});
    let arguments = arguments.as_object().cloned().unwrap();
    let params = CallToolRequestParams::new("publish").with_arguments(arguments);
    client.call_tool(params).await.unwrap();
}

async fn next(subscription: &mut Subscription) -> String {
    match subscription.next().await.unwrap() {
        Some(ServerNotification::ResourceUpdatedNotification(updated)) => updated.params.uri,
        Some(ServerNotification::ToolListChangedNotification(_)) => "tools".to_owned(),
        other => panic!("nothing that was listened to: {other:?}"),
    }
}

async fn rust_sees(url: &str) -> Seen {
    let transport = StreamableHttpClientTransport::from_uri(url);
    let client = ().serve_with_lifecycle(transport, modern()).await.unwrap();
    let wanted = SubscriptionFilter::builder()
        .tools_list_changed()
        .prompts_list_changed()
        .resource_subscriptions(["news://today", "news://nowhere"])
        .build();
    let mut subscription = client.listen(wanted.clone()).await.unwrap();
    publish(&client, "today", "rain").await;
    let mut told = vec![next(&mut subscription).await];
    let read = ReadResourceRequestParams::new("news://today");
    let read = serde_json::to_value(client.read_resource(read).await.unwrap()).unwrap();
    publish(&client, "tools", "more").await;
    told.push(next(&mut subscription).await);
    assert!(subscription.next().await.unwrap().is_none(), "nothing else changes");
    let end = match subscription.end() {
        Some(SubscriptionEnd::Graceful(_)) => "graceful".to_owned(),
        other => format!("{other:?}"),
    };

    let mut again = client.listen(wanted).await.unwrap();
    publish(&client, "today", "sun").await;
    told.push(next(&mut again).await);
    again.cancel().await.unwrap();
    let seen = Seen {
        honoured: serde_json::to_value(subscription.acknowledged()).unwrap(),
        told,
        read: read["contents"][0]["text"].as_str().unwrap_or_default().to_owned(),
        ends: vec![end, "local".to_owned()],
    };
    client.cancel().await.unwrap();
    seen
}

#[tokio::test]
async fn rust() {
    let upstream = Upstream::start().await;
    let serving = serving(&upstream).await;
    let seen = tokio::time::timeout(TOUR, rust_sees(&serving.url())).await;
    seen.expect("both subscriptions end").check();
    check_log(&serving).await;
    tell("rmcp, listening: ok");
}

#[tokio::test]
async fn typescript() {
    let client = "@modelcontextprotocol/client";
    let Some(mut program) = available(client, node::client("listens.mjs").await) else { return };
    let upstream = Upstream::start().await;
    let serving = serving(&upstream).await;
    let seen: Seen = reported(client, program.arg(serving.url())).await;
    seen.check();
    check_log(&serving).await;
    tell(&format!("{client}, listening: ok"));
}
