//! Subscriptions, from their acknowledgement to their end.

use std::cell::{Cell, RefCell};
use std::future::ready;
use std::rc::Rc;
use std::time::Duration;

use futures_lite::stream;
use serde_json::{Value, json};

use super::wire::{LEGACY, Seen, Wire, modern_message};
use crate::{Change, NoArguments, Outcome, Prompt, Resource, Server, Subscriptions, Tool};

const ID: &str = "io.modelcontextprotocol/subscriptionId";
const ACK: &str = "notifications/subscriptions/acknowledged";

fn server(subscriptions: Subscriptions) -> Server {
    Server::new("listen", "1")
        .tool(Tool::new("t", async |_: NoArguments| ()).description("x"))
        .prompt(Prompt::new("p", async |_: NoArguments| "").description("x"))
        .resource(Resource::text("docs://a", "a", ""))
        .resource(Resource::text("docs://b", "b", ""))
        .subscriptions(subscriptions)
}

/// A source that tells of everything, and ends.
fn all() -> Subscriptions {
    Subscriptions::stream(|_| {
        stream::iter([
            Change::Resource("docs://a".to_owned()),
            Change::Tools,
            Change::Resource("docs://b".to_owned()),
            Change::Prompts,
            Change::Resources,
            Change::Tools,
        ])
    })
}

fn told() -> Subscriptions {
    all().tools().prompts().resources().resource_updates()
}

fn listen(wanted: Value) -> Wire {
    Wire::modern("subscriptions/listen", json!({ "notifications": wanted }))
}

fn everything() -> Value {
    json!({
        "toolsListChanged": true,
        "promptsListChanged": true,
        "resourcesListChanged": true,
        "resourceSubscriptions": ["docs://a"],
    })
}

fn methods(seen: &Seen) -> Vec<String> {
    let name = |event: &Value| event["method"].as_str().unwrap_or("(response)").to_owned();
    seen.events().iter().map(name).collect()
}

#[test]
fn s1_what_to_listen_to_must_be_said() {
    for params in [
        json!({}),
        json!({ "notifications": null }),
        json!({ "notifications": [1] }),
        json!({ "notifications": { "toolsListChanged": "yes" } }),
        json!({ "notifications": { "resourceSubscriptions": "docs://a" } }),
        json!({ "notifications": { "resourceSubscriptions": [1] } }),
    ] {
        let seen = Wire::modern("subscriptions/listen", params.clone()).run(&server(told()));
        assert_eq!(seen.refusal(), (200, -32602), "{params}");
    }
    let nothing = listen(json!({ "taskIds": ["1"], "unknown": true })).run(&server(told()));
    assert_eq!(methods(&nothing), [ACK, "(response)"]);
    assert_eq!(nothing.events()[0]["params"]["notifications"], json!({}), "j5");
}

#[test]
fn s1_a_client_without_streams_cannot_listen() {
    let wire = listen(everything()).set("accept", "application/json");
    assert_eq!(wire.run(&server(told())).refusal(), (400, -32600));
    let seen = listen(everything()).set("accept", "text/event-stream").run(&server(told()));
    assert_eq!((seen.status, methods(&seen)[0].as_str()), (200, ACK));
}

#[test]
fn s2_the_acknowledgement_is_first_and_says_what_is_honoured() {
    let honoured = |subscriptions: Subscriptions| {
        let seen = listen(everything()).run(&server(subscriptions));
        assert_eq!(methods(&seen)[0], ACK);
        assert!(seen.writes[0].contains(ACK), "at once: {}", seen.writes[0]);
        seen.events()[0]["params"]["notifications"].clone()
    };
    assert_eq!(honoured(told()), everything());
    assert_eq!(honoured(all()), json!({}), "what is not advertised is not honoured");
    let tools = json!({ "toolsListChanged": true });
    assert_eq!(honoured(all().tools()), tools);
    let updates = json!({ "resourceSubscriptions": ["docs://a"] });
    assert_eq!(honoured(all().resource_updates()), updates);
}

#[test]
fn s2_only_resources_that_exist_are_honoured() {
    let uris = json!(["docs://none", "docs://b", "docs://../b", ""]);
    let seen = listen(json!({ "resourceSubscriptions": uris })).run(&server(told()));
    let honoured = json!({ "resourceSubscriptions": ["docs://b"] });
    assert_eq!(seen.events()[0]["params"]["notifications"], honoured);
}

#[test]
fn s2_a_client_listens_to_each_resource_once_and_to_a_hundred_at_most() {
    let honoured = |uris: Vec<String>| {
        let server = server(told()).resource(Resource::template(
            "docs://many/{number}",
            "many",
            async |number: Number| number.number,
        ));
        let seen = listen(json!({ "resourceSubscriptions": uris })).run(&server);
        let uris = &seen.events()[0]["params"]["notifications"]["resourceSubscriptions"];
        uris.as_array().unwrap().clone()
    };
    assert_eq!(honoured(["docs://a", "docs://b", "docs://a"].map(str::to_owned).to_vec()).len(), 2);
    let many = (0..10_000).map(|number| format!("docs://many/{number}")).collect();
    let honoured = honoured(many);
    assert_eq!((honoured.len(), &honoured[99]), (100, &json!("docs://many/99")));
}

#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Number {
    number: String,
}

#[test]
fn s3_only_what_was_asked_for_is_told() {
    for (wanted, expected) in [
        (json!({ "toolsListChanged": true }), vec!["notifications/tools/list_changed"; 2]),
        (json!({ "promptsListChanged": true }), vec!["notifications/prompts/list_changed"]),
        (json!({ "resourcesListChanged": true }), vec!["notifications/resources/list_changed"]),
        (json!({ "toolsListChanged": false }), vec![]),
        (json!({ "resourceSubscriptions": ["docs://b"] }), vec!["notifications/resources/updated"]),
    ] {
        let seen = listen(wanted.clone()).run(&server(told()));
        let told = methods(&seen);
        assert_eq!(told[1..told.len() - 1], expected, "{wanted}");
    }
}

#[test]
fn s3_s4_everything_carries_the_id_as_it_came() {
    for id in [json!(1), json!("1"), json!(9_007_199_254_740_991_i64)] {
        let params = json!({ "notifications": everything() });
        let mut message = modern_message("subscriptions/listen", params);
        message["id"] = id.clone();
        let wire = Wire::post(message.to_string())
            .header("mcp-protocol-version", "2026-07-28")
            .header("mcp-method", "subscriptions/listen");
        let events = wire.run(&server(told())).events();
        assert_eq!(events.len(), 7);
        let meta = json!({ ID: id });
        for event in &events[..6] {
            assert_eq!(event["params"]["_meta"], meta, "{event}");
            assert!(event.get("id").is_none(), "h15: {event}");
        }
        assert_eq!(events[1]["params"], json!({ "_meta": meta, "uri": "docs://a" }), "s4");
        assert_eq!(events[2]["params"], json!({ "_meta": meta }), "s4");
        assert_eq!(events[6]["id"], id);
        assert_eq!(events[6]["result"]["_meta"][ID], id, "s5");
    }
}

#[test]
fn s5_a_source_that_ends_ends_the_subscription_by_a_result() {
    let seen = listen(json!({})).run(&server(told()));
    assert_eq!(
        seen.result(),
        json!({
            "resultType": "complete",
            "_meta": {
                "io.modelcontextprotocol/serverInfo": { "name": "listen", "version": "1" },
                ID: 1,
            },
        })
    );
    assert_eq!((seen.outcome, seen.finished), (Outcome::Ok, true));
}

#[test]
fn s5_a_subscription_ends_by_a_result_when_its_time_is_up() {
    let silent = || Subscriptions::stream(|_| stream::pending()).tools();
    let wanted = || listen(json!({ "toolsListChanged": true })).timers(1);
    let seen = wanted().run(&server(silent()));
    assert_eq!(methods(&seen), [ACK, "(response)"]);
    assert_eq!(seen.waits[0], Duration::from_secs(50));
    let seen = wanted().run(&server(silent().lifetime(Duration::from_secs(5))));
    assert_eq!(seen.waits[0], Duration::from_secs(5));
}

#[test]
fn s5_the_last_words_come_before_the_servers_time_limit() {
    let silent = Subscriptions::stream(|_| stream::pending()).tools();
    let limited = server(silent).exchange_timeout(Duration::from_secs(10));
    // The first timer bounds the write of the acknowledgement, and is never waited for.
    let seen = listen(json!({ "toolsListChanged": true })).timers(1).run(&limited);
    assert_eq!(methods(&seen), [ACK, "(response)"]);
    let end = seen.waits.iter().min().unwrap();
    assert!((Duration::from_secs(8)..=Duration::from_secs(9)).contains(end), "{:?}", seen.waits);
}

#[test]
fn s5_a_client_that_leaves_ends_it() {
    let wanted = || listen(json!({ "toolsListChanged": true }));
    for operation in 2..6 {
        let dropped = Rc::new(Cell::new(false));
        let guard = Guard(Rc::clone(&dropped));
        let guard = RefCell::new(Some(guard));
        let source = Subscriptions::stream(move |_| {
            let guard = guard.take();
            stream::unfold(guard, |guard| ready(Some((Change::Tools, guard))))
        });
        let seen = wanted().fail_at(operation).run(&server(source.tools()));
        assert_eq!(seen.outcome, Outcome::ClientGone, "{operation}");
        assert!(dropped.get(), "{operation}: the source is let go of");
    }
}

struct Guard(Rc<Cell<bool>>);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.set(true);
    }
}

#[test]
fn s6_versions_are_looked_up_until_the_client_leaves() {
    let looks = Rc::new(Cell::new(0));
    // The tools change once, the resource at every look.
    let version = move |change: Change| {
        let look = looks.get();
        looks.set(look + 1);
        ready(Some(if change == Change::Tools { u64::from(look >= 4) } else { look }))
    };
    let interval = Duration::from_secs(2);
    let source = Subscriptions::polled(interval, version).tools().resource_updates();
    let wanted = json!({ "toolsListChanged": true, "resourceSubscriptions": ["docs://a"] });
    // Two reads, the acknowledgement and four changes.
    let seen = listen(wanted).tick(interval).fail_at(7).run(&server(source));
    let (updated, tools) = ("notifications/resources/updated", "notifications/tools/list_changed");
    assert_eq!(methods(&seen), [ACK, updated, tools, updated, updated]);
    assert_eq!(seen.outcome, Outcome::ClientGone);
}

#[test]
fn s6_a_version_that_nobody_can_tell_is_no_change() {
    let looks = Rc::new(Cell::new(0));
    let counted = Rc::clone(&looks);
    let version = move |_| {
        let look = counted.get();
        counted.set(look + 1);
        ready(match look {
            0 | 2 => Some(0),
            1 | 3 => None,
            look => Some(look),
        })
    };
    let interval = Duration::from_secs(2);
    let source = Subscriptions::polled(interval, version).resource_updates();
    let wanted = json!({ "resourceSubscriptions": ["docs://a"] });
    // Two reads, the acknowledgement and one change.
    let seen = listen(wanted).tick(interval).fail_at(4).run(&server(source));
    assert_eq!(methods(&seen), [ACK, "notifications/resources/updated"]);
    assert_eq!(looks.get(), 6, "the fifth look and the sixth are the first to find a change");
}

#[test]
fn s6_nothing_to_look_up_is_held_until_the_end() {
    let source = Subscriptions::polled(Duration::from_secs(1), |_| ready(Some(0)));
    let seen = listen(json!({})).timers(1).run(&server(source));
    assert_eq!(methods(&seen), [ACK, "(response)"]);
}

#[test]
fn s6_only_what_can_be_told_is_advertised() {
    let discover = |server: &Server| {
        let result = Wire::modern("server/discover", json!({})).run(server).result();
        result["capabilities"].clone()
    };
    let told = discover(&server(told()));
    assert_eq!(told["tools"], json!({ "listChanged": true }));
    assert_eq!(told["prompts"], json!({ "listChanged": true }));
    assert_eq!(told["resources"], json!({ "listChanged": true, "subscribe": true }));
    let updates = discover(&server(all().resource_updates()));
    assert_eq!(updates["resources"], json!({ "subscribe": true }));
    assert_eq!(updates["tools"], json!({}));
    let none = Server::new("none", "1").subscriptions(self::told());
    assert_eq!(discover(&none).get("tools"), None, "there are none that could change");
}

#[test]
fn s6_a_server_without_a_source_has_no_such_method() {
    let without = Server::new("without", "1")
        .tool(Tool::new("t", async |_: NoArguments| ()).description("x"));
    assert_eq!(listen(everything()).run(&without).refusal(), (404, -32601));
}

#[test]
fn l_older_clients_cannot_listen_and_are_promised_nothing() {
    for version in LEGACY {
        let params = json!({ "notifications": everything() });
        let seen = Wire::legacy(version, "subscriptions/listen", params).run(&server(told()));
        assert_eq!(seen.refusal(), (200, -32601), "{version}");
        let params = json!({
            "protocolVersion": version,
            "capabilities": {},
            "clientInfo": { "name": "c", "version": "1" },
        });
        let result = Wire::legacy(version, "initialize", params).run(&server(told())).result();
        for capability in ["tools", "prompts", "resources"] {
            assert_eq!(result["capabilities"][capability], json!({}), "{version} {capability}");
        }
    }
}

#[test]
fn o1_o2_nothing_else_is_said_on_a_subscription() {
    let mut params = modern_message("subscriptions/listen", json!({}))["params"].clone();
    params["notifications"] = everything();
    params["_meta"]["progressToken"] = json!(1);
    params["_meta"]["io.modelcontextprotocol/logLevel"] = json!("debug");
    let seen = Wire::modern("subscriptions/listen", params).run(&server(told()));
    let methods = methods(&seen);
    assert_eq!(methods.len(), 7);
    let others = ["notifications/progress", "notifications/message"];
    assert!(!methods.iter().any(|method| others.contains(&method.as_str())), "{methods:?}");
}

#[test]
fn d2_only_what_there_is_can_be_announced() {
    let problems = |server: Server| server.validate().map_err(|invalid| invalid.0).err();
    assert_eq!(problems(server(told())), None);
    let nothing = "subscriptions: nothing is announced, as by `Subscriptions::tools`";
    assert_eq!(problems(server(all())), Some(vec![nothing.to_owned()]));
    let empty = Server::new("empty", "1").subscriptions(all().tools().resource_updates());
    let told = problems(empty).unwrap();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0].contains("`tools`") && told[1].contains("`resource_updates`"), "{told:?}");
}
