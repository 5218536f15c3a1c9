//! Every row of the status table: condition, HTTP status, JSON-RPC code, id.

use serde_json::{Value, json};

use super::wire::{Wire, modern_message, modern_meta};
use crate::transport::http::Method;
use crate::{
    ClientCapabilities, Cors, InvalidServer, NoArguments, Outcome, Server, Tool, ToolError,
};

#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Region {
    #[schemars(extend("x-mcp-header" = "Region"))]
    region: Option<String>,
}

fn server() -> Server {
    Server::new("table", "1")
        .tool(Tool::new("ok", async |_: NoArguments| "fine").description("Works."))
        .tool(
            Tool::new("broken", async |_: NoArguments| {
                Err::<(), _>(ToolError::internal("the secret password is 1234"))
            })
            .description("Fails inside."),
        )
        .tool(
            Tool::new("region", async |args: Region| args.region.unwrap_or_default())
                .description("Has a header parameter.")
                .header_params(),
        )
        .tool(
            Tool::new("samples", async |_: NoArguments| "Success")
                .description("Needs sampling.")
                .requires(ClientCapabilities::none().with_sampling()),
        )
        .allow_origin("https://app.example.com")
}

/// What a row expects: status, code, id.
type Expected = (u16, Option<i64>, Value);

#[track_caller]
fn check(row: &str, wire: Wire, (status, code, id): Expected) -> Value {
    let seen = wire.run(&server());
    assert_eq!(seen.status, status, "{row}: {}", seen.body);
    assert!(seen.finished, "{row}");
    let Some(code) = code else {
        assert_eq!(seen.body, "", "{row}");
        return Value::Null;
    };
    let body = seen.json();
    assert_eq!(body["error"]["code"], code, "{row}: {body}");
    assert_eq!(body["id"], id, "{row}: {body}");
    assert_eq!(body.get("id").is_some(), !id.is_null(), "{row}: an id that is null is no id");
    assert_eq!(seen.header("content-type"), Some("application/json"), "{row}");
    body
}

fn modern(params: Value) -> Wire {
    Wire::modern("tools/list", params)
}

#[test]
fn rows_1_to_4_before_the_body_is_read() {
    let post = || modern(json!({}));
    let with = |method: Method| {
        let mut wire = post();
        wire.head.method = method;
        wire
    };
    check("h2", with(Method::Other), (405, None, Value::Null));
    check("options without an origin", with(Method::Options), (405, None, Value::Null));
    let mut elsewhere = post();
    elsewhere.head.path = "/".to_owned();
    check("h5", elsewhere, (404, None, Value::Null));
    let rejected = |status| (status, Some(-32600), Value::Null);
    check("h6", post().header("origin", "https://evil.example.com"), rejected(403));
    check("h7 null", post().header("origin", "null"), rejected(403));
    check("h10 type", post().set("content-type", "text/plain"), rejected(415));
    check("h10 accept", post().set("accept", "text/html"), rejected(406));
    check("h11 length", post().header("content-length", "4194305"), rejected(413));
    check("h11 size", Wire::post(vec![b' '; (4 << 20) + 1]), rejected(413));
    check("headers", post().header("x-big", &"x".repeat(40_000)), rejected(431));
}

#[test]
fn rows_1_to_4_let_pass_what_they_should() {
    let post = || modern(json!({}));
    for (what, wire) in [
        ("no type", post().without("content-type")),
        ("parameters", post().set("content-type", "Application/JSON; charset=utf-8")),
        ("no accept", post().without("accept")),
        ("any", post().set("accept", "*/*")),
        ("origin", post().header("origin", "https://APP.example.com")),
        ("local origin", post().header("origin", "http://localhost:5173")),
        ("session id", post().header("mcp-session-id", "abc").header("last-event-id", "1")),
        ("pieces", post().in_pieces(7)),
    ] {
        let seen = wire.run(&server());
        assert_eq!(seen.status, 200, "{what}: {}", seen.body);
        assert!(seen.json()["result"]["tools"].is_array(), "{what}");
        assert_eq!(seen.header("mcp-session-id"), None, "h3");
    }
}

#[test]
fn row_5_what_is_not_json() {
    let parse = || (400, Some(-32700), Value::Null);
    for body in [&b""[..], b"{", b"nonsense", b"{\"a\":\xff}", b"[1,]", b"{} {}", b"\"\n\""] {
        check("h11", Wire::post(body), parse());
    }
    let deep = format!("{}{}", "[".repeat(129), "]".repeat(129));
    check("depth", Wire::post(deep), parse());
    let with_mark = format!("\u{feff}{}", modern_message("tools/list", json!({})));
    let seen = modern(json!({})).run(&server());
    let wire = Wire::post(with_mark)
        .header("mcp-protocol-version", "2026-07-28")
        .header("mcp-method", "tools/list");
    assert_eq!(wire.run(&server()).body, seen.body, "a byte order mark is tolerated");
}

#[test]
fn row_6_what_is_no_message() {
    for (body, id) in [
        (json!(1), Value::Null),
        (json!({}), Value::Null),
        (json!({ "jsonrpc": "2.0", "id": 1 }), json!(1)),
        (json!({ "jsonrpc": "1.0", "id": "a", "method": "ping" }), json!("a")),
        (json!({ "id": 7, "method": "ping" }), json!(7)),
        (json!({ "jsonrpc": "2.0", "id": 7, "method": 5 }), json!(7)),
        (json!({ "jsonrpc": "2.0", "id": null, "method": "ping" }), Value::Null),
        (json!({ "jsonrpc": "2.0", "id": 1.5, "method": "ping" }), Value::Null),
        (json!({ "jsonrpc": "2.0", "id": [1], "method": "ping" }), Value::Null),
        (json!({ "jsonrpc": "2.0", "id": 2, "method": "ping", "params": [1] }), json!(2)),
    ] {
        check(&format!("j1 {body}"), Wire::post(body.to_string()), (400, Some(-32600), id));
    }
    let twice = r#"{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}"#;
    check("twice", Wire::post(twice), (400, Some(-32600), Value::Null));
    let batch = json!([modern_message("tools/list", json!({}))]).to_string();
    let modern_batch = Wire::post(batch).header("mcp-protocol-version", "2026-07-28");
    check("l7", modern_batch, (400, Some(-32600), Value::Null));
}

#[test]
fn row_7_notifications_and_responses() {
    let notification = json!({ "jsonrpc": "2.0", "method": "notifications/anything" }).to_string();
    for version in ["2026-07-28", "2025-06-18", "1999-01-01"] {
        let wire = Wire::post(notification.clone()).header("mcp-protocol-version", version);
        check("h12 v8", wire, (202, None, Value::Null));
    }
    let response = json!({ "jsonrpc": "2.0", "id": 1, "result": {} }).to_string();
    let modern = Wire::post(response.clone()).header("mcp-protocol-version", "2026-07-28");
    check("h14", modern, (400, Some(-32600), Value::Null));
    check("h14 legacy", Wire::post(response), (202, None, Value::Null));
}

#[test]
fn rows_9_to_12_metadata_and_version() {
    let meta = |version: Value, capabilities: Value| {
        modern(json!({ "_meta": {
            "io.modelcontextprotocol/protocolVersion": version,
            "io.modelcontextprotocol/clientCapabilities": capabilities,
        } }))
    };
    let good = || meta(json!("2026-07-28"), json!({}));
    check("9", good().without("mcp-protocol-version"), (400, Some(-32020), json!(1)));
    let malformed = || (400, Some(-32602), json!(1));
    check("10 none", modern(json!({ "_meta": {} })), malformed());
    check("10 not an object", modern(json!({ "_meta": 5 })), malformed());
    check("10 version", meta(json!(20), json!({})), malformed());
    check("10 version null", meta(Value::Null, json!({})), malformed());
    check("10 capabilities", meta(json!("2026-07-28"), json!([1])), malformed());
    let lacking = json!({ "_meta": { "io.modelcontextprotocol/protocolVersion": "2026-07-28" } });
    check("10 lacking", modern(lacking), malformed());
    let only_info = json!({ "_meta": { "io.modelcontextprotocol/clientInfo": {} } });
    check("v2", modern(only_info).without("mcp-protocol-version"), malformed());
    let twice = r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/protocolVersion":"2026-07-28"}}}"#;
    check("v1 unreadable", Wire::post(twice), malformed());
    check("11", meta(json!("v999.0.0"), json!({})), (400, Some(-32020), json!(1)));
    let future = meta(json!("v999.0.0"), json!({})).set("mcp-protocol-version", "v999.0.0");
    let body = check("12", future, (400, Some(-32022), json!(1)));
    assert_eq!(
        body["error"]["data"],
        json!({ "supported": ["2026-07-28"], "requested": "v999.0.0" })
    );
    let old = meta(json!("2025-06-18"), json!({})).set("mcp-protocol-version", "2025-06-18");
    check("v9", old, (400, Some(-32022), json!(1)));
}

#[test]
fn rows_13_to_15_method_and_name() {
    let mismatch = || (400, Some(-32020), json!(1));
    let list = || modern(json!({}));
    check("13 missing", list().without("mcp-method"), mismatch());
    check("13 case", list().set("mcp-method", "TOOLS/LIST"), mismatch());
    check("13 two", list().header("mcp-method", "tools/call"), mismatch());
    for method in [
        "unknown/method",
        "initialize",
        "ping",
        "logging/setLevel",
        "resources/subscribe",
        "prompts/list",
        "resources/list",
        "subscriptions/listen",
        "tasks/get",
    ] {
        check(method, Wire::modern(method, json!({})), (404, Some(-32601), json!(1)));
    }
    let call = || Wire::call("ok", json!({}));
    check("15 missing", call().without("mcp-name"), mismatch());
    check("15 other", call().set("mcp-name", "broken"), mismatch());
    check("15 undecodable", call().set("mcp-name", "=?base64?b2s?="), mismatch());
    assert_eq!(call().set("mcp-name", "=?base64?b2s=?=").run(&server()).status, 200);
}

#[test]
fn rows_17_and_18_parameters() {
    let mut meta = modern_meta();
    meta["io.modelcontextprotocol/logLevel"] = json!("loud");
    let refused = || (200, Some(-32602), json!(1));
    check("17", modern(json!({ "_meta": meta })), refused());
    check("18 cursor", modern(json!({ "cursor": "" })), refused());
    check("18 unknown tool", Wire::call("nothing", json!({})), refused());
    check("18 arguments", Wire::call("ok", json!([1])), refused());
    check("18 no name", Wire::modern("tools/call", json!({ "arguments": {} })), refused());
    let number = Wire::modern("tools/call", json!({ "name": 5 }));
    check("18 name", number, refused());
    let bare = Wire::modern("tools/call", json!({ "name": "ok" })).run(&server());
    assert_eq!(bare.json()["result"]["content"][0]["text"], "fine", "arguments may be missing");
}

#[test]
fn row_19_header_parameters() {
    let mismatch = || (400, Some(-32020), json!(1));
    let call = |arguments| Wire::call("region", arguments);
    check("h23 missing", call(json!({ "region": "eu" })), mismatch());
    let other = call(json!({ "region": "eu" })).header("mcp-param-region", "us");
    check("h23 other", other, mismatch());
    check("h23 absent", call(json!({})).header("mcp-param-region", "eu"), mismatch());
    check("h24 before arguments", call(json!({ "region": 5 })), mismatch());
    let unknown = Wire::call("nothing", json!({ "region": "eu" }));
    check("h24 after lookup", unknown, (200, Some(-32602), json!(1)));
    let good = call(json!({ "region": "eu" })).header("Mcp-Param-Region", "eu").run(&server());
    assert_eq!(good.json()["result"]["content"][0]["text"], "eu");
}

#[test]
fn row_20_missing_capability() {
    let wire = Wire::call("samples", json!({}));
    let body = check("20", wire, (400, Some(-32021), json!(1)));
    assert_eq!(body["error"]["data"], json!({ "requiredCapabilities": { "sampling": {} } }));
    let mut meta = modern_meta();
    meta["io.modelcontextprotocol/clientCapabilities"] =
        json!({ "sampling": { "unknown": 1 }, "roots": { "listChanged": true }, "new": {} });
    let params = json!({ "name": "samples", "arguments": {}, "_meta": meta });
    let seen = Wire::modern("tools/call", params).run(&server());
    assert_eq!(seen.json()["result"]["content"][0]["text"], "Success");
}

#[test]
fn row_21_internal_failures_say_nothing() {
    let wire = Wire::call("broken", json!({}));
    let body = check("21", wire, (500, Some(-32603), json!(1)));
    assert!(!body.to_string().contains("password"), "{body}");
    let seen = Wire::call("broken", json!({})).run(&server());
    assert_eq!(
        seen.log.into_inner(),
        ["midge: internal error: the secret password is 1234"],
        "the log knows"
    );
    assert_eq!(seen.outcome, Outcome::ProtocolError);
}

#[test]
fn h27_ids_are_echoed_as_they_came() {
    for id in [json!(0), json!(-1), json!(9_007_199_254_740_991_i64), json!(""), json!("\u{e9}\"")]
    {
        let mut message = modern_message("tools/list", json!({}));
        message["id"] = id.clone();
        let wire = Wire::post(message.to_string())
            .header("mcp-protocol-version", "2026-07-28")
            .header("mcp-method", "tools/list");
        assert_eq!(wire.run(&server()).json()["id"], id);
    }
}

#[test]
fn h4_preflights_are_answered_for_allowed_origins_only() {
    let preflight = |origin: &str| {
        let mut wire = Wire::post("")
            .header("origin", origin)
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "content-type, mcp-param-region, x-other");
        wire.head.method = Method::Options;
        wire
    };
    let seen = preflight("https://app.example.com").run(&server());
    assert_eq!(seen.status, 204);
    assert_eq!(seen.header("access-control-allow-origin"), Some("https://app.example.com"));
    let allowed = seen.header("access-control-allow-headers").unwrap();
    for name in ["authorization", "mcp-protocol-version", "mcp-name", "mcp-param-region"] {
        assert!(allowed.split(", ").any(|other| other == name), "{name}: {allowed}");
    }
    assert!(!allowed.contains("x-other") && !allowed.contains('*'), "{allowed}");
    assert_eq!(preflight("https://evil.example.com").run(&server()).status, 403);
    let off = server().cors(Cors::off());
    assert_eq!(preflight("https://app.example.com").run(&off).status, 405);
    let answer = modern(json!({})).header("origin", "https://app.example.com").run(&server());
    assert_eq!(answer.header("access-control-allow-origin"), Some("https://app.example.com"));
    assert_eq!(answer.header("access-control-expose-headers"), Some("www-authenticate"));
    assert_eq!(answer.header("vary"), Some("origin"));
}

#[test]
fn validate_names_what_clients_would_refuse() {
    let tool = |name: &'static str| Tool::new(name, async |_: NoArguments| ());
    let server = Server::new("bad", "1")
        .endpoint("mcp")
        .allow_origin("https://app.example.com/")
        .allow_origin("*")
        .tool(tool("no description"))
        .tool(tool("twice").description("x"))
        .tool(tool("twice").description("x"))
        .tool(tool("meta").description("x").meta("io.mcp/x", 1).meta("a b", 1).meta("fine", 1))
        .tool(Tool::new("text", async |_: String| ()).description("x"))
        .tool(Tool::new("header", async |_: Region| ()).description("x").input_schema(|| {
            json!({ "type": "object", "properties": {
                        "a": { "type": "string", "x-mcp-header": "A" },
                        "b": { "type": "string", "x-mcp-header": "a" },
                        "c": { "type": "number", "x-mcp-header": "not a header" },
                    } })
        }));
    let InvalidServer(problems) = server.validate().unwrap_err();
    assert_eq!(
        problems,
        [
            "the endpoint `mcp` must start with /",
            "`https://app.example.com/` is not an origin like https://app.example.com, without a path",
            "`*` is not an origin like https://app.example.com, without a path",
            "tool `no description`: a name has 1 to 128 of A-Z a-z 0-9 _ . -",
            "tool `no description`: a description is missing, and models choose by it",
            "tool `twice`: there are two of that name",
            "tool `meta`: `a b` is not a key that a server may use in `_meta`",
            "tool `meta`: `io.mcp/x` is not a key that a server may use in `_meta`",
            "tool `text`: the argument type must be a struct or map: a JSON object",
            "tool `header`: x-mcp-header: `b`: header \"a\" is declared twice",
            "tool `header`: x-mcp-header: `c`: \"not a header\" is not the name of a header",
            "tool `header`: x-mcp-header: `c`: only a string, an integer or a boolean can be repeated in a header",
            "tool `header`: its `x-mcp-header`s are checked by `Tool::header_params` only",
        ]
    );
    self::server().validate().unwrap();
}
