//! What a schema forbids reaches no handler and no client.

use std::cell::Cell;
use std::rc::Rc;

use serde_json::{Map, Value, json};

use super::wire::{Seen, Wire};
use crate::{CallToolResult, InvalidServer, Outcome, Server, Tool, ToolError};

#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Roll {
    #[schemars(range(min = 2, max = 100))]
    sides: Option<u32>,
    #[serde(default)]
    #[schemars(length(max = 2))]
    labels: Vec<String>,
}

/// A server whose tool counts its calls.
fn rolls() -> (Server, Rc<Cell<u32>>) {
    let calls = Rc::new(Cell::new(0));
    let counted = calls.clone();
    let tool = Tool::new("roll", move |roll: Roll| {
        counted.set(counted.get() + 1);
        async move { format!("{:?} {}", roll.sides, roll.labels.len()) }
    });
    (Server::new("s", "1").tool(tool.description("x").enforce_schema()), calls)
}

fn error_text(seen: &Seen) -> String {
    let json = seen.json();
    assert_eq!((seen.status, &json["result"]["isError"]), (200, &json!(true)), "{json}");
    json["result"]["content"][0]["text"].as_str().unwrap().to_owned()
}

#[test]
fn t4_what_the_schema_forbids_does_not_reach_the_handler() {
    let (server, calls) = rolls();
    server.validate().unwrap();
    let cases = [
        (json!({ "sides": 1 }), "Invalid arguments: `sides`: must be at least 2"),
        (json!({ "sides": 101 }), "Invalid arguments: `sides`: must be at most 100"),
        (
            json!({ "labels": ["a", "b", "c"] }),
            "Invalid arguments: `labels`: must have at most 2 items",
        ),
        (json!({ "labels": ["a", 1] }), "Invalid arguments: `labels[1]`: must be of type string"),
    ];
    for (arguments, text) in cases {
        let seen = Wire::call("roll", arguments.clone()).run(&server);
        assert_eq!(error_text(&seen), text);
        assert_eq!(seen.outcome, Outcome::ToolError);
        let params = json!({ "name": "roll", "arguments": arguments });
        let message =
            json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params });
        let legacy = Wire::post(message.to_string()).header("mcp-protocol-version", "2025-06-18");
        assert_eq!(error_text(&legacy.run(&server)), text);
    }
    assert_eq!(calls.get(), 0);
    let text = Wire::call("roll", json!({ "sides": 2, "labels": [] })).run(&server).json();
    assert_eq!(text["result"]["content"][0]["text"], "Some(2) 0");
    assert_eq!(calls.get(), 1);
}

#[test]
fn t4_arguments_that_are_missing_are_an_empty_object() {
    let server = Server::new("s", "1").tool(
        Tool::new("t", async |_: Map<String, Value>| "called")
            .description("x")
            .input_schema(|| json!({ "type": "object", "minProperties": 1 })),
    );
    let seen = Wire::modern("tools/call", json!({ "name": "t" })).run(&server);
    assert_eq!(error_text(&seen), "Invalid arguments: must have at least 1 members");
}

fn schema_of_own() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "$defs": { "port": { "$anchor": "port", "type": "integer", "format": "uint16" } },
        "properties": { "port": { "$ref": "#port" }, "host": { "format": "hostname" } },
        "if": { "required": ["port"] },
        "then": { "required": ["host"] },
        "unevaluatedProperties": false,
    })
}

#[test]
fn t3_a_schema_of_ones_own_is_published_verbatim_and_enforced() {
    let server = Server::new("s", "1").tool(
        Tool::new("t", async |_: Map<String, Value>| "called")
            .description("x")
            .input_schema(schema_of_own),
    );
    server.validate().unwrap();
    let listed = Wire::modern("tools/list", json!({})).run(&server).json();
    assert_eq!(listed["result"]["tools"][0]["inputSchema"], schema_of_own());
    let told = |arguments| error_text(&Wire::call("t", arguments).run(&server));
    assert_eq!(told(json!({ "port": 1 })), "Invalid arguments: `host` is missing");
    assert_eq!(
        told(json!({ "host": "-" })),
        "Invalid arguments: `host`: must match the format \"hostname\""
    );
    assert_eq!(told(json!({ "x": 1 })), "Invalid arguments: `x`: is not allowed");
    let good = Wire::call("t", json!({ "port": 1, "host": "h" })).run(&server).json();
    assert_eq!(good["result"]["content"][0]["text"], "called");
}

#[test]
fn b1_validate_names_schemas_that_model_apis_refuse() {
    #[derive(serde::Deserialize, schemars::JsonSchema)]
    #[serde(tag = "kind", rename_all = "lowercase")]
    #[expect(dead_code, reason = "only its schema is looked at")]
    enum Shape {
        Circle { radius: f64 },
        Square { side: f64 },
    }
    #[derive(serde::Deserialize, schemars::JsonSchema)]
    #[expect(dead_code, reason = "only its schema is looked at")]
    struct Draw {
        shape: Shape,
    }
    let own = |name: &'static str, schema: fn() -> Value| {
        Tool::new(name, async |_: Map<String, Value>| ()).description("x").input_schema(schema)
    };
    let server = Server::new("s", "1")
        .tool(Tool::new("draw", async |_: Draw| ()).description("x"))
        .tool(Tool::new("shape", async |_: Shape| ()).description("x"))
        .tool(own("meant", || json!({ "type": "object", "properties": {}, "anyOf": [true] })))
        .tool(own("bare", || json!({ "type": "object" })));
    let InvalidServer(problems) = server.validate().unwrap_err();
    assert_eq!(
        problems,
        [
            "tool `shape`: large model APIs refuse `oneOf` at the root of an input schema: put the \
             choice into a member, as `struct Arguments { shape: Shape }`, or write a schema without \
             it for `Tool::input_schema`",
            "tool `bare`: large model APIs refuse an input schema without `properties`; `{}` is enough",
        ]
    );
}

#[test]
fn t10_structured_content_that_breaks_its_schema_is_an_internal_error() {
    let tool = |name: &'static str, answer: fn() -> Result<CallToolResult, ToolError>| {
        Tool::new(name, move |_: Map<String, Value>| async move { answer() })
            .description("x")
            .output_schema(|| json!({ "type": "object", "properties": { "n": { "minimum": 1 } } }))
    };
    let server = Server::new("s", "1")
        .tool(tool("good", || structured(json!({ "n": 1 }))))
        .tool(tool("bad", || structured(json!({ "n": 0 }))))
        .tool(tool("none", || Ok(CallToolResult::new())))
        .tool(tool("failed", || Err(ToolError::new("no luck"))))
        .tool(tool("error", || Ok(CallToolResult::new().error())));
    server.validate().unwrap();
    let call = |name| Wire::call(name, json!({})).run(&server);
    assert_eq!(call("good").json()["result"]["structuredContent"], json!({ "n": 1 }));
    for (name, cause) in [
        ("bad", "the structured content breaks the output schema: `n` must be at least 1"),
        ("none", "the tool has an output schema and gave no structured content"),
    ] {
        let seen = call(name);
        assert_eq!(seen.json()["error"]["code"], -32603);
        assert!(!seen.body.contains("schema"), "the cause is for the log only");
        assert!(seen.log.borrow().iter().any(|line| line.contains(cause)), "{:?}", seen.log);
    }
    assert_eq!(error_text(&call("failed")), "no luck");
    assert_eq!(call("error").json()["result"]["isError"], json!(true));
}

fn structured(value: Value) -> Result<CallToolResult, ToolError> {
    CallToolResult::new().structured(&value).map_err(ToolError::internal)
}

#[test]
fn t4_validate_names_rules_that_nothing_enforces() {
    let own: fn() -> Value = || json!({ "type": "object", "$ref": "other.json" });
    let server = Server::new("s", "1")
        .tool(Tool::new("typed", async |_: Roll| ()).description("x"))
        .tool(Tool::new("own", async |_: Map<String, Value>| ()).description("x").input_schema(own))
        .tool(
            Tool::new("out", async |_: Map<String, Value>| ()).description("x").output_schema(own),
        );
    let InvalidServer(problems) = server.validate().unwrap_err();
    let unchecked = |place: &str| {
        format!(
            "tool `typed`: the argument type does not check `{place}` of its schema; \
             `Tool::enforce_schema` does"
        )
    };
    assert_eq!(
        problems,
        [
            unchecked("#/properties/labels/maxItems"),
            unchecked("#/properties/sides/maximum"),
            unchecked("#/properties/sides/minimum"),
            "tool `own`: the input schema's `#/$ref` cannot be resolved within the schema: other.json"
                .to_owned(),
            "tool `own`: large model APIs refuse an input schema without `properties`; `{}` is enough"
                .to_owned(),
            "tool `out`: the output schema's `#/$ref` cannot be resolved within the schema: other.json"
                .to_owned(),
        ]
    );
}
