//! Arguments are read alike, whatever is checked before.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::wire::{Wire, modern_message};
use crate::{Server, Tool};

/// Fields that a `Value` on the way would change.
#[derive(Debug, Deserialize, JsonSchema)]
#[expect(dead_code, reason = "only their debug output is looked at")]
struct Tricky {
    #[schemars(extend("x-mcp-header" = "Region"))]
    region: Option<String>,
    unsigned: Option<u64>,
    signed: Option<i64>,
    wide: Option<u128>,
    float: Option<f64>,
    #[schemars(with = "Option<Value>")]
    raw: Option<Box<RawValue>>,
    other: Option<Value>,
}

/// The server's tools read the same type, each after other checks.
fn server() -> Server {
    let tool = |name: &'static str| {
        Tool::new(name, async |arguments: Tricky| format!("{arguments:?}")).description("x")
    };
    Server::new("s", "1")
        .tool(tool("plain"))
        .tool(tool("schema").enforce_schema())
        .tool(tool("headers").header_params())
        .tool(tool("both").header_params().enforce_schema())
}

/// A call with arguments as they are written.
fn call(tool: &str, arguments: &str) -> Wire {
    let params = json!({ "name": tool, "arguments": "@" });
    let message = modern_message("tools/call", params).to_string();
    Wire::post(message.replace("\"@\"", arguments))
        .header("mcp-protocol-version", "2026-07-28")
        .header("mcp-method", "tools/call")
        .header("mcp-name", tool)
}

fn text(wire: Wire, server: &Server) -> String {
    let json = wire.run(server).json();
    json["result"]["content"][0]["text"].as_str().unwrap_or_else(|| panic!("{json}")).to_owned()
}

#[track_caller]
fn same(arguments: &str, expected: &str) {
    let server = server();
    for tool in ["plain", "schema", "headers", "both"] {
        let got = text(call(tool, arguments), &server);
        assert!(got.contains(expected), "{tool} {arguments}: {got}");
    }
}

#[test]
fn numbers_are_as_exact_after_a_check_as_without() {
    same(r#"{"unsigned":18446744073709551615}"#, "unsigned: Some(18446744073709551615)");
    same(r#"{"signed":-9223372036854775808}"#, "signed: Some(-9223372036854775808)");
    same(r#"{"wide":18446744073709551616}"#, "wide: Some(18446744073709551616)");
    same(r#"{"float":9007199254740993}"#, "float: Some(9007199254740992.0)");
    same(r#"{"float":1e2}"#, "float: Some(100.0)");
    same(r#"{"float":-0.0}"#, "float: Some(-0.0)");
    same(r#"{"raw":[1.0e2, {"b":1,"a":1}]}"#, r#"[1.0e2, {"b":1,"a":1}]"#);
}

#[test]
fn what_only_the_type_refuses_is_told_in_the_same_words() {
    same(r#"{"signed":1,"signed":2}"#, "Invalid arguments: `signed` is given twice");
    same(
        r#"{"unsigned":18446744073709551616}"#,
        "Invalid arguments: `unsigned`: must be a whole number from 0 to 18446744073709551615, not \
         `1.8446744073709552e+19`",
    );
    same(r#"{"unknown":1,"unknown":2,"signed":3}"#, "signed: Some(3)");
    same(r#"{"other":{"a":1,"a":2}}"#, r#"other: Some(Object {"a": Number(2)})"#);
    same(r#"{"\u0073igned":1}"#, "signed: Some(1)");
}

#[test]
fn arguments_that_are_no_value_are_refused_where_they_are_checked() {
    let half = r#"{"unknown":"\ud800"}"#;
    let server = server();
    assert!(text(call("plain", half), &server).starts_with("Tricky"));
    let told = text(call("schema", half), &server);
    assert_eq!(
        told,
        "Invalid arguments: `unknown`: has an escape that is not a Unicode scalar value"
    );
    for tool in ["headers", "both"] {
        assert_eq!(call(tool, half).run(&server).json()["error"]["code"], -32020, "{tool}");
    }
}

#[test]
fn half_a_surrogate_pair_is_told_as_such_with_its_place() {
    #[derive(Deserialize, JsonSchema)]
    #[expect(dead_code, reason = "never gets that far")]
    struct Texts {
        lines: Vec<String>,
    }
    let server =
        Server::new("s", "1").tool(Tool::new("texts", async |_: Texts| "no").description("x"));
    for half in [r"\ud800", r"\udc00", r"\ud800\ud800", r"\ud800x"] {
        let told = text(call("texts", &format!(r#"{{"lines":["a","{half}"]}}"#)), &server);
        assert_eq!(
            told, "Invalid arguments: `lines[1]`: has an escape that is not a Unicode scalar value",
            "{half}"
        );
    }
    let named =
        Wire::post(r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"\ud800"}}"#);
    assert_eq!(
        named.run(&server).json()["error"]["message"],
        "Invalid params: `name` has an escape that is not a Unicode scalar value"
    );
    let told = text(call("texts", r#"{"lines":["\ud83e\udd9f","a"]}"#), &server);
    assert_eq!(told, "no");
}

#[test]
fn integers_may_be_written_as_floats_after_a_check_too() {
    same(r#"{"unsigned":5.0}"#, "unsigned: Some(5)");
    same(r#"{"unsigned":1e2}"#, "unsigned: Some(100)");
    same(r#"{"unsigned":-0.0}"#, "unsigned: Some(0)");
    same(r#"{"signed":-5.0e0}"#, "signed: Some(-5)");
    same(r#"{"raw":5.0}"#, "RawValue(5.0)");
}

#[test]
fn headers_are_compared_before_the_schema_is_checked() {
    let server = server();
    let wrong = r#"{"region":"eu","signed":"x"}"#;
    for tool in ["headers", "both"] {
        let seen = call(tool, wrong).header("mcp-param-region", "us").run(&server);
        assert_eq!((seen.status, &seen.json()["error"]["code"]), (400, &json!(-32020)), "{tool}");
    }
    let told = text(call("both", wrong).header("mcp-param-region", "eu"), &server);
    assert_eq!(told, "Invalid arguments: `signed`: must be of type integer or null");
}
