//! Values that live in the client, over whole exchanges.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::wire::Wire;
use crate::{
    Context, InvalidKeys, Json, NoArguments, Sealed, SealingKeys, Server, Tool, ToolError,
};

const KEYS: &str = "test:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

#[derive(Serialize, Deserialize, JsonSchema)]
struct Cart {
    items: Vec<String>,
}

/// What the same handle is after the server's next version.
mod next {
    use super::{Deserialize, JsonSchema, Serialize};

    #[derive(Serialize, Deserialize, JsonSchema)]
    pub(super) struct Cart {
        pub(super) items: Vec<u32>,
    }
}

#[derive(Serialize, Deserialize, JsonSchema)]
struct Order {
    items: Vec<String>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
struct Holding<T> {
    handle: Sealed<T>,
}

fn cart() -> Cart {
    Cart { items: vec!["tea".to_owned()] }
}

async fn make(_: NoArguments, context: Context) -> Result<Json<Holding<Cart>>, ToolError> {
    Ok(Json(Holding { handle: context.seal(&cart())? }))
}

async fn expired(_: NoArguments, context: Context) -> Result<Json<Holding<Cart>>, ToolError> {
    Ok(Json(Holding { handle: context.seal_for(Duration::ZERO, &cart())? }))
}

async fn huge(_: NoArguments, context: Context) -> Result<Json<Holding<Cart>>, ToolError> {
    Ok(Json(Holding { handle: context.seal(&Cart { items: vec!["x".repeat(64 << 10)] })? }))
}

async fn look(args: Holding<Cart>, context: Context) -> Result<String, ToolError> {
    Ok(args.handle.open(&context)?.items.join(" "))
}

async fn look_as_order(args: Holding<Order>, context: Context) -> Result<String, ToolError> {
    Ok(args.handle.open(&context)?.items.join(" "))
}

async fn look_as_next(args: Holding<next::Cart>, context: Context) -> Result<String, ToolError> {
    Ok(args.handle.open(&context)?.items.len().to_string())
}

fn named(name: &str) -> Server {
    Server::new(name, "1")
        .sealing_keys(|| SealingKeys::parse(KEYS))
        .principal(|headers| headers.get("x-subject").map(str::to_owned))
        .tool(Tool::with_context("make", make).description("x"))
        .tool(Tool::with_context("expired", expired).description("x"))
        .tool(Tool::with_context("huge", huge).description("x"))
        .tool(Tool::with_context("look", look).description("x"))
        .tool(Tool::with_context("look_as_order", look_as_order).description("x"))
        .tool(Tool::with_context("look_as_next", look_as_next).description("x"))
}

fn wire(tool: &str, arguments: Value, subject: Option<&str>) -> Wire {
    let mut wire = Wire::modern("tools/call", json!({ "name": tool, "arguments": arguments }));
    if let Some(subject) = subject {
        wire.head.headers.push("x-subject", subject);
    }
    wire
}

fn made(tool: &str, subject: Option<&str>) -> String {
    let result = wire(tool, json!({}), subject).run(&named("shop")).json();
    result["result"]["structuredContent"]["handle"].as_str().unwrap().to_owned()
}

/// The text that the model gets, and whether it is an error.
fn looked(server: &Server, tool: &str, handle: &str, subject: Option<&str>) -> (String, bool) {
    let result = &wire(tool, json!({ "handle": handle }), subject).run(server).json()["result"];
    let text = result["content"][0]["text"].as_str().unwrap();
    (text.to_owned(), result["isError"] == json!(true))
}

#[test]
fn t12_a_value_lives_in_the_client() {
    let handle = made("make", None);
    let (text, is_error) = looked(&named("shop"), "look", &handle, None);
    assert_eq!((text.as_str(), is_error), ("tea", false));
}

#[test]
fn t12_an_expired_handle_is_told_to_the_model() {
    let (text, is_error) = looked(&named("shop"), "look", &made("expired", None), None);
    assert_eq!((text.as_str(), is_error), ("This Cart handle has expired; get a new one", true));
}

#[test]
fn z1_a_handle_is_of_use_to_its_caller_only() {
    let server = named("shop");
    let of_ada = made("make", Some("ada"));
    assert_eq!(looked(&server, "look", &of_ada, Some("ada")), ("tea".to_owned(), false));
    let refusal = "This is no Cart handle of this server for this caller; \
                   pass on a handle exactly as a tool has returned it";
    let of_nobody = made("make", None);
    for (handle, subject) in
        [(&of_ada, Some("eve")), (&of_ada, None), (&of_nobody, Some("ada")), (&of_nobody, Some(""))]
    {
        let (text, is_error) = looked(&server, "look", handle, subject);
        assert_eq!((text.as_str(), is_error), (refusal, true), "{subject:?}");
    }
}

#[test]
fn t12_foreign_and_changed_handles_are_one_to_the_client() {
    let handle = made("make", None);
    let (server, other) = (named("shop"), named("shop2"));
    let refusals = [
        looked(&other, "look", &handle, None),
        looked(&server, "look", &format!("{handle}A"), None),
        looked(&server, "look", &handle.to_lowercase(), None),
        looked(&server, "look", "", None),
        looked(&server, "look", &"A".repeat(1 << 20), None),
    ];
    for refusal in &refusals {
        assert!(refusal.1);
        assert_eq!(refusal, &refusals[0]);
    }
}

#[test]
fn t12_a_cart_is_no_order() {
    let (text, is_error) = looked(&named("shop"), "look_as_order", &made("make", None), None);
    assert!(is_error && text.starts_with("This is no Order handle"), "{text}");
}

#[test]
fn t12_a_handle_from_before_the_type_changed_is_told_to_the_model() {
    let (text, is_error) = looked(&named("shop"), "look_as_next", &made("make", None), None);
    assert!(is_error && text.contains("get a new one"), "{text}");
}

#[test]
fn z2_missing_keys_are_for_the_log_only() {
    let server = named("shop").sealing_keys(|| Err(InvalidKeys::Missing));
    for request in [wire("make", json!({}), None), wire("look", json!({ "handle": "" }), None)] {
        let seen = request.run(&server);
        assert_eq!(seen.json()["error"]["code"], -32603);
        assert!(!seen.body.contains("MIDGE_SEALING_KEYS"), "{}", seen.body);
        let log = seen.log.borrow().join("\n");
        assert!(log.contains("set MIDGE_SEALING_KEYS; `midge key` makes one"), "{log}");
    }
}

#[test]
fn t12_a_value_that_is_too_large_is_the_servers_fault() {
    let seen = wire("huge", json!({}), None).run(&named("shop"));
    assert_eq!(seen.json()["error"]["code"], -32603);
    let log = seen.log.borrow().join("\n");
    assert!(log.contains("too many to be sealed"), "{log}");
}

#[test]
fn t12_a_handle_is_a_string_to_clients() {
    let seen = Wire::modern("tools/list", json!({})).run(&named("shop")).json();
    let tools = seen["result"]["tools"].as_array().unwrap();
    let look = tools.iter().find(|tool| tool["name"] == "look").unwrap();
    assert_eq!(
        look["inputSchema"]["properties"]["handle"],
        json!({
            "type": "string",
            "description":
                "An opaque Cart handle; pass it on exactly as a tool has returned it.",
        })
    );
    let make = tools.iter().find(|tool| tool["name"] == "make").unwrap();
    assert_eq!(make["outputSchema"]["properties"]["handle"]["type"], "string");
    assert!(make["outputSchema"].get("$defs").is_none());
}

#[test]
fn z2_a_handle_is_not_in_debug_output() {
    let handle = made("make", None);
    let sealed: Sealed<Cart> = serde_json::from_value(json!(handle)).unwrap();
    assert_eq!(sealed.clone().as_str(), handle);
    assert_eq!(format!("{sealed:?}"), "Sealed { .. }");
}
