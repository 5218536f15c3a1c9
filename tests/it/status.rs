//! The status table and the two eras, row by row, through a component.

use midge_tests::{Answer, Message, Serving};
use serde_json::{Value, json};

use super::guests;

/// What a row says of the answer: status, JSON-RPC code, id.
type Expected = (u16, Option<i64>, Value);

/// An error without an id.
fn anonymous(status: u16, code: i64) -> Expected {
    (status, Some(code), Value::Null)
}

/// An error with the id of the request.
fn of_request(status: u16, code: i64) -> Expected {
    (status, Some(code), json!(1))
}

/// An answer without a body.
fn empty(status: u16) -> Expected {
    (status, None, Value::Null)
}

fn list() -> Message {
    Message::modern("tools/list", json!({}))
}

fn greet() -> Message {
    Message::call("greet", json!({"name": "you"}))
}

fn legacy(method: &str) -> Message {
    Message::legacy(method, json!({}))
}

fn body(json: &Value) -> Message {
    Message::of_json(json)
}

fn check(row: &str, answer: &Answer, (status, code, id): Expected) {
    assert_eq!(answer.status, status, "{row}: {}", answer.text());
    assert!(answer.complete, "{row}: it is whole");
    assert_eq!(answer.header("mcp-session-id"), None, "{row}: there are no sessions");
    let Some(code) = code else {
        return assert_eq!(answer.text(), "", "{row}: no body");
    };
    let json = answer.json();
    assert_eq!(answer.header("content-type"), Some("application/json"), "{row}");
    assert_eq!(json["error"]["code"], code, "{row}: {json}");
    assert!(json["error"]["message"].is_string(), "{row}: {json}");
    assert_eq!(json["id"], id, "{row}: {json}");
    assert_eq!(json.get("id").is_some(), !id.is_null(), "{row}: an id that is null is no id");
}

/// Sends the message of each row to the demo, in one server's life.
async fn check_all(rows: Vec<(&str, Message, Expected)>) {
    let serving = Serving::of(guests::DEMO).await;
    let count = rows.len();
    for (row, message, expected) in rows {
        check(row, &serving.send(&message).await, expected);
    }
    for line in serving.exchanges(count).await {
        let outcome = &line["outcome"];
        assert!(["ok", "rejected", "protocol-error"].contains(&outcome), "{line:?}");
    }
    serving.assert_noise(0, 0);
}

#[tokio::test]
async fn rows_1_to_4_the_head() {
    let evil = |origin: &str| list().header("origin", origin);
    check_all(vec![
        ("1 GET", list().verb("GET"), empty(405)),
        ("1 DELETE", list().verb("DELETE"), empty(405)),
        ("1 PUT", list().verb("PUT"), empty(405)),
        ("1 GET to resume", list().verb("GET").header("last-event-id", "1"), empty(405)),
        ("H5 path", list().path("/"), empty(404)),
        ("H5 path below", list().path("/mcp/more"), empty(404)),
        ("2 origin", evil("https://evil.example.com"), anonymous(403, -32600)),
        ("2 null", evil("null"), anonymous(403, -32600)),
        ("2 like local", evil("http://localhost.evil.example"), anonymous(403, -32600)),
        ("4 type", list().with("content-type", "text/plain"), anonymous(415, -32600)),
        ("4 accept", list().accept("text/html"), anonymous(406, -32600)),
        ("4 q=0", list().accept("*/*;q=0"), anonymous(406, -32600)),
    ])
    .await;
}

#[tokio::test]
async fn the_host_checks_who_is_meant() {
    let serving = Serving::of(guests::DEMO).await;
    for (host, status) in [
        ("evil.example.com", 403),
        ("localhost:9", 200),
        ("a b", 400),
        ("localhost:x", 400),
        ("a@localhost", 400),
    ] {
        let answer = asked_of(&serving, "/mcp", host).await;
        assert_eq!(answer.status, status, "{host}");
        assert!(status == 200 || answer.text().contains(host), "{}", answer.text());
    }
    let lines = serving.exchanges(5).await;
    assert!(lines[0]["cause"].contains("`--allow-host evil.example.com`"), "{:?}", lines[0]);
    assert!(lines[4]["cause"].contains("a@localhost"), "{:?}", lines[4]);
}

#[tokio::test]
async fn a_request_in_absolute_form_is_checked_like_others() {
    let serving = Serving::of(guests::DEMO).await;
    for (target, host, status) in [
        ("http://localhost/mcp", "localhost", 200),
        ("http://evil.example.com/mcp", "localhost", 403),
        ("http://localhost/mcp", "localhost\r\nhost: evil.example.com", 400),
        ("http://a@localhost/mcp", "localhost", 400),
        ("ftp://localhost/mcp", "localhost", 400),
    ] {
        let answer = asked_of(&serving, target, host).await;
        assert_eq!(answer.status, status, "{target} {host}: {}", answer.text());
    }
}

/// Greets with another request target and another host.
async fn asked_of(serving: &Serving, target: &str, host: &str) -> Answer {
    let bytes = String::from_utf8(greet().bytes()).expect("text");
    let bytes = bytes.replacen("/mcp", target, 1);
    let mut wire = serving.wire().await;
    wire.send(bytes.replace("host: localhost", &format!("host: {host}"))).await;
    wire.answer().await
}

#[tokio::test]
async fn paths_and_methods_of_clients_are_bounded_in_the_log() {
    let serving = Serving::of(guests::DEMO).await;
    let long = "X".repeat(1000);
    let bytes = String::from_utf8(greet().bytes()).expect("text");
    let mut wire = serving.wire().await;
    wire.send(bytes.replacen("POST /mcp", &format!("{long} /{long}"), 1)).await;
    wire.answer().await;
    drop(wire);
    let line = serving.exchange().await;
    assert_eq!((line["path"].len(), line["http_method"].len()), (256, 256), "{line:?}");
}

#[tokio::test]
async fn what_is_tolerated_in_a_head() {
    let serving = Serving::of(guests::DEMO).await;
    for (what, message) in [
        ("a query", greet().path("/mcp?x=1")),
        ("a slash", greet().path("/mcp/")),
        ("a slash and a query", greet().path("/mcp/?x=1")),
        ("equal copies", greet().header("mcp-name", "greet").header("mcp-method", "tools/call")),
        ("no type", greet().without("content-type")),
        ("parameters of it", greet().with("content-type", "Application/JSON; charset=utf-8")),
        ("no accept", greet().without("accept")),
        ("any", greet().accept("*/*")),
        ("the other order", greet().accept("text/event-stream, application/json")),
        ("a local origin", greet().header("origin", "http://localhost:5173")),
        ("headers of sessions", greet().header("mcp-session-id", "a").header("last-event-id", "1")),
        ("blanks", greet().with("mcp-name", "  greet\t")),
        ("Base64", greet().with("mcp-name", "=?base64?Z3JlZXQ=?=")),
        ("other parameters", greet().header("mcp-param-other", "x")),
    ] {
        let answer = serving.send(&message).await;
        assert_eq!(answer.status, 200, "{what}: {}", answer.text());
        assert_eq!(answer.result_text(), "Hello, you!", "{what}");
    }
    let only_stream = serving.send(&greet().accept("text/event-stream")).await;
    assert_eq!(only_stream.header("content-type"), Some("text/event-stream"), "H10");
    assert_eq!(only_stream.result_text(), "Hello, you!", "H10");
}

#[tokio::test]
async fn row_5_no_json() {
    let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
    check_all(vec![
        ("5 empty", Message::of_bytes(""), anonymous(400, -32700)),
        ("5 cut", Message::of_bytes("{\"jsonrpc\""), anonymous(400, -32700)),
        ("5 not UTF-8", Message::of_bytes(b"{\"a\":\"\xff\"}"), anonymous(400, -32700)),
        ("5 two", Message::of_bytes("{} {}"), anonymous(400, -32700)),
        ("5 deep", Message::of_bytes(deep), anonymous(400, -32700)),
    ])
    .await;
}

#[tokio::test]
async fn rows_6_and_7_the_message() {
    let batch = json!([{"jsonrpc": "2.0", "id": 1, "method": "ping"}]);
    let response = json!({"jsonrpc": "2.0", "id": 1, "result": {}});
    let notification = json!({"jsonrpc": "2.0", "method": "notifications/anything"});
    let modern = |json: &Value| body(json).header("mcp-protocol-version", "2026-07-28");
    let ping = || Message::legacy("ping", json!({}));
    let without = |member: &str| {
        ping().edit(|body| drop(body.as_object_mut().and_then(|body| body.remove(member))))
    };
    check_all(vec![
        ("6 number", body(&json!(1)), anonymous(400, -32600)),
        ("6 array", modern(&batch), anonymous(400, -32600)),
        ("6 version", without("jsonrpc"), of_request(400, -32600)),
        ("6 no method", without("method"), of_request(400, -32600)),
        ("6 method", ping().edit(|body| body["method"] = json!(5)), of_request(400, -32600)),
        ("6 id null", ping().id(Value::Null), anonymous(400, -32600)),
        ("6 id fraction", ping().id(1.5), anonymous(400, -32600)),
        ("6 params", ping().edit(|body| body["params"] = json!([1])), of_request(400, -32600)),
        ("7 notification", modern(&notification), empty(202)),
        ("7 response", modern(&response), anonymous(400, -32600)),
        ("7 legacy response", body(&response), empty(202)),
    ])
    .await;
}

#[tokio::test]
async fn rows_9_to_12_metadata_and_version() {
    let other = |version: &str| {
        list().meta("protocolVersion", version).with("mcp-protocol-version", version)
    };
    check_all(vec![
        ("9", list().without("mcp-protocol-version"), of_request(400, -32020)),
        ("10 no _meta", list().edit(|body| body["params"] = json!({})), of_request(400, -32602)),
        (
            "10 _meta no object",
            list().edit(|body| body["params"]["_meta"] = json!(5)),
            of_request(400, -32602),
        ),
        ("10 version", list().meta("protocolVersion", 5), of_request(400, -32602)),
        ("10 capabilities", list().meta("clientCapabilities", json!([1])), of_request(400, -32602)),
        ("10 none", list().without_meta("clientCapabilities"), of_request(400, -32602)),
        ("11", list().meta("protocolVersion", "v999.0.0"), of_request(400, -32020)),
        ("12 future", other("v999.0.0"), of_request(400, -32022)),
        ("12 legacy", other("2025-11-25"), of_request(400, -32022)),
    ])
    .await;
}

#[tokio::test]
async fn rows_13_to_15_method_and_name() {
    let modern = |method: &str| Message::modern(method, json!({}));
    let mut rows = vec![
        ("13 missing", list().without("mcp-method"), of_request(400, -32020)),
        ("13 other", list().with("mcp-method", "TOOLS/LIST"), of_request(400, -32020)),
        ("13 two", list().header("mcp-method", "tools/call"), of_request(400, -32020)),
        ("15 missing", greet().without("mcp-name"), of_request(400, -32020)),
        ("15 other", greet().with("mcp-name", "divide"), of_request(400, -32020)),
        ("15 padding", greet().with("mcp-name", "=?base64?Z3JlZXQ?="), of_request(400, -32020)),
    ];
    for method in [
        "no/such",
        "initialize",
        "ping",
        "logging/setLevel",
        "resources/subscribe",
        "resources/unsubscribe",
        "prompts/list",
        "tasks/get",
    ] {
        rows.push((method, modern(method), of_request(404, -32601)));
    }
    check_all(rows).await;
}

#[tokio::test]
async fn rows_17_and_18_parameters() {
    let call = |params: Value| Message::modern("tools/call", params);
    check_all(vec![
        ("17", list().meta("logLevel", "loud"), of_request(200, -32602)),
        ("18 tool", Message::call("nothing", json!({})), of_request(200, -32602)),
        (
            "18 cursor",
            Message::modern("tools/list", json!({"cursor": "x"})),
            of_request(200, -32602),
        ),
        ("18 no name", call(json!({"arguments": {}})), of_request(200, -32602)),
        ("18 arguments", call(json!({"name": "greet", "arguments": [1]})), of_request(200, -32602)),
    ])
    .await;
}

#[tokio::test]
async fn arguments_that_do_not_fit_are_for_the_model() {
    let serving = Serving::of(guests::DEMO).await;
    for message in [
        Message::call("greet", json!({"name": 5})),
        Message::call("divide", json!({"dividend": 1, "divisor": 0})),
        Message::legacy_call("greet", json!({})),
    ] {
        let answer = serving.send(&message).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(answer.json()["result"]["isError"], true, "{}", answer.text());
    }
    for line in serving.exchanges(3).await {
        assert_eq!(&line["outcome"], "tool-error", "{line:?}");
    }
}

#[tokio::test]
async fn ids_come_back_as_they_were() {
    let serving = Serving::of(guests::DEMO).await;
    for id in [json!(0), json!(-1), json!(1_790_000_000_000_i64), json!("1"), json!("\u{e9}\"\n")] {
        let answer = serving.send(&greet().id(id.clone())).await;
        assert_eq!(answer.json()["id"], id, "in a result");
        let answer = serving.send(&list().id(id.clone()).without("mcp-method")).await;
        assert_eq!(answer.json()["id"], id, "in an error");
    }
}

#[tokio::test]
async fn v1_to_v3_and_v7_modern_and_unknown() {
    let no_version =
        |method: &str| Message::modern(method, json!({})).without("mcp-protocol-version");
    let header = |method: &str, version: &str| legacy(method).with("mcp-protocol-version", version);
    check_all(vec![
        ("V1 initialize", Message::modern("initialize", json!({})), of_request(404, -32601)),
        ("V1 without the header", no_version("tools/list"), of_request(400, -32020)),
        (
            "V1 with a legacy header",
            list().with("mcp-protocol-version", "2025-06-18"),
            of_request(400, -32020),
        ),
        (
            "V2 client",
            legacy("tools/list").meta("clientInfo", json!({"name": "a", "version": "1"})),
            of_request(400, -32602),
        ),
        ("V2 level", legacy("tools/list").meta("logLevel", "info"), of_request(400, -32602)),
        ("V3", header("tools/list", "2026-07-28"), of_request(400, -32602)),
        ("V3 initialize", header("initialize", "2026-07-28"), of_request(400, -32602)),
        ("V7 old", header("tools/list", "2024-11-05"), of_request(400, -32022)),
        ("V7 garbage", header("tools/list", "garbage"), of_request(400, -32022)),
        ("V7 initialize", header("initialize", "garbage"), of_request(400, -32022)),
        ("L5 unknown method", legacy("no/such"), of_request(200, -32601)),
        ("L5 discover", legacy("server/discover"), of_request(200, -32601)),
        ("L5 unknown tool", Message::legacy_call("no", json!({})), of_request(200, -32602)),
    ])
    .await;
}

#[tokio::test]
async fn v4_initialize() {
    let serving = Serving::of(guests::DEMO).await;
    for (asked, answered) in [
        ("2025-03-26", "2025-03-26"),
        ("2025-06-18", "2025-06-18"),
        ("2025-11-25", "2025-11-25"),
        ("2024-11-05", "2025-11-25"),
        ("2026-07-28", "2025-11-25"),
        ("tomorrow", "2025-11-25"),
    ] {
        let ask =
            Message::initialize().edit(|body| body["params"]["protocolVersion"] = asked.into());
        let answer = serving.send(&ask).await;
        assert_eq!(answer.json()["result"]["protocolVersion"], answered, "for {asked}");
        assert_eq!(answer.header("mcp-session-id"), None, "no session");
    }
}

#[tokio::test]
async fn v5_and_v6_legacy() {
    let serving = Serving::of(guests::DEMO).await;
    let versions = [Some("2025-11-25"), Some("2025-06-18"), Some("2025-03-26"), None];
    for version in versions {
        let message = |method: &str| match version {
            Some(version) => legacy(method).with("mcp-protocol-version", version),
            None => legacy(method).without("mcp-protocol-version"),
        };
        let answer = serving.send(&message("ping")).await;
        assert_eq!(answer.json()["result"], json!({}), "{version:?}: exactly nothing");
        let answer = serving.send(&message("tools/list").meta("progressToken", 1)).await;
        let result = &answer.json()["result"];
        assert!(result["tools"].is_array(), "{version:?}: `_meta` alone is not modern: {result}");
        assert!(result.get("resultType").is_none(), "{version:?}: not in legacy: {result}");
    }
    for method in ["initialized", "cancelled", "roots/list_changed", "progress"] {
        let method = format!("notifications/{method}");
        let answer = serving.send(&Message::notification(&method)).await;
        assert_eq!((answer.status.as_u16(), answer.text()), (202, ""), "L2 {method}");
    }
}

#[tokio::test]
async fn v8_notifications_of_any_version() {
    let rows = ["2026-07-28", "2025-06-18", "1999-01-01"].map(|version| {
        let message = Message::notification("notifications/anything");
        (version, message.with("mcp-protocol-version", version), empty(202))
    });
    check_all(rows.into()).await;
}

#[tokio::test]
async fn v9_and_v11_the_same_versions_everywhere() {
    let serving = Serving::of(guests::DEMO).await;
    let discover = serving.send(&Message::modern("server/discover", json!({}))).await.json();
    let versions = &discover["result"]["supportedVersions"];
    assert_eq!(*versions, json!(["2026-07-28"]), "{discover}");
    for version in ["2027-01-01", "DRAFT-2026-v1"] {
        let message = list().meta("protocolVersion", version).with("mcp-protocol-version", version);
        let error = &serving.send(&message).await.json()["error"];
        assert_eq!(error["code"], -32022, "V11 {version}: {error}");
        assert_eq!(error["data"], json!({"supported": versions, "requested": version}), "V9");
    }
}

#[tokio::test]
async fn l7_arrays_of_the_oldest_version() {
    let serving = Serving::of(guests::DEMO).await;
    let ping = |id: u64| json!({"jsonrpc": "2.0", "id": id, "method": "ping"});
    let done = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
    let answer = serving.send(&body(&json!([ping(1), done, ping(2)]))).await;
    let answers: Vec<_> = answer.json().as_array().expect("an array").clone();
    let ids: Vec<_> = answers.iter().map(|answer| answer["id"].clone()).collect();
    assert_eq!(ids, [json!(1), json!(2)], "an answer for each request");
    let answer = serving.send(&body(&json!([done]))).await;
    assert_eq!(answer.status, 202, "nothing to answer");
    let later = body(&json!([ping(1)])).header("mcp-protocol-version", "2025-06-18");
    for message in [body(&json!([])), later] {
        check("L7", &serving.send(&message).await, anonymous(400, -32600));
    }
}

#[tokio::test]
async fn h4_preflights() {
    let serving = Serving::of(guests::DEMO).await;
    let preflight = |origin: &str| {
        Message::of_bytes("")
            .verb("OPTIONS")
            .header("origin", origin)
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "mcp-method")
    };
    let answer = serving.send(&preflight("http://localhost:3000")).await;
    assert_eq!(answer.status, 204, "allowed");
    let origin = answer.header("access-control-allow-origin");
    assert_eq!(origin, Some("http://localhost:3000"), "and named");
    let headers = answer.header("access-control-allow-headers").unwrap_or_default();
    for name in ["mcp-protocol-version", "mcp-method", "mcp-name", "authorization"] {
        assert!(headers.contains(name), "{name} in {headers}");
    }
    let answer = serving.send(&preflight("https://evil.example.com")).await;
    assert_eq!(answer.status, 403, "not allowed");
    assert_eq!(answer.header("access-control-allow-origin"), None, "nor told");
}
