//! `subscriptions/listen` on a connection that is shared.

use std::cell::RefCell;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use futures_lite::stream;
use serde_json::{Value, json};

use super::talk::Talk;
use crate::{Change, NoArguments, Resource, Server, Subscriptions, Tool};

const ACK: &str = "notifications/subscriptions/acknowledged";

/// Changes that a test makes.
type Changes = Rc<RefCell<Vec<Change>>>;

fn talk() -> (Talk, Changes) {
    let changes = Changes::default();
    let made = Rc::clone(&changes);
    let talk = Talk::with(move || {
        let made = Rc::clone(&made);
        let source = Subscriptions::stream(move |_| {
            let (made, mut seen) = (Rc::clone(&made), 0);
            stream::poll_fn(move |_| match made.borrow().get(seen) {
                Some(change) => {
                    seen += 1;
                    Poll::Ready(Some(change.clone()))
                }
                None => Poll::Pending,
            })
        });
        Server::new("listen", "1")
            .tool(Tool::new("quick", async |_: NoArguments| ()).description("x"))
            .resource(Resource::text("docs://a", "a", ""))
            .subscriptions(source.tools().resource_updates())
    });
    (talk, changes)
}

fn listen(talk: &mut Talk, id: impl Into<Value>, wanted: Value) {
    talk.ask(id, "subscriptions/listen", json!({ "notifications": wanted }));
    let acknowledged = talk.heard_one();
    assert_eq!(acknowledged["method"], ACK, "{acknowledged}");
}

/// What was told, and by which subscription.
fn told(talk: &mut Talk) -> Vec<(String, Value)> {
    let told = |message: Value| {
        let id = &message["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"];
        (message["method"].as_str().unwrap_or("(response)").to_owned(), id.clone())
    };
    talk.heard().into_iter().map(told).collect()
}

#[test]
fn subscriptions_share_a_connection_and_are_told_apart() {
    let (mut talk, changes) = talk();
    listen(&mut talk, 1, json!({ "toolsListChanged": true }));
    listen(&mut talk, "b", json!({ "resourceSubscriptions": ["docs://a"] }));
    changes.borrow_mut().push(Change::Tools);
    changes.borrow_mut().push(Change::Resource("docs://a".to_owned()));
    talk.settle();
    let tools = ("notifications/tools/list_changed".to_owned(), json!(1));
    let resource = ("notifications/resources/updated".to_owned(), json!("b"));
    assert_eq!(told(&mut talk), [tools.clone(), resource]);
    talk.call(3, "quick");
    assert_eq!(talk.answered(), [3], "others are answered meanwhile");
    talk.cancel("b");
    changes.borrow_mut().push(Change::Resource("docs://a".to_owned()));
    changes.borrow_mut().push(Change::Tools);
    talk.settle();
    assert_eq!(told(&mut talk), [tools]);
}

#[test]
fn a_cancelled_subscription_is_not_answered() {
    let (mut talk, changes) = talk();
    listen(&mut talk, 1, json!({ "toolsListChanged": true }));
    talk.cancel(1);
    changes.borrow_mut().push(Change::Tools);
    talk.settle();
    assert!(talk.heard().is_empty());
}

#[test]
fn one_that_nobody_ends_ends_by_its_result() {
    let (mut talk, _) = talk();
    listen(&mut talk, 1, json!({ "toolsListChanged": true }));
    talk.advance(Duration::from_secs(51));
    let answer = talk.heard_one();
    assert_eq!(answer["id"], 1);
    assert_eq!(answer["result"]["resultType"], "complete");
}

#[test]
fn the_end_of_the_input_ends_them_at_once() {
    let (mut talk, _) = talk();
    listen(&mut talk, 1, json!({ "toolsListChanged": true }));
    talk.end_input();
    assert!(talk.is_over() && talk.heard().is_empty() && talk.log().is_empty());
}
