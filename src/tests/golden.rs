//! What goes over the wire, message by message, as files to look at.

use serde_json::{Value, json};

use super::wire::{Seen, Wire, modern_meta};
use crate::{
    Cache, CallToolResult, ContentBlock, Context, Icon, IconTheme, Json, LoggingLevel, NoArguments,
    ResourceContents, ResourceLink, Server, Tool, ToolAnnotations, ToolError,
};

#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Sum {
    /// The numbers to add.
    numbers: Vec<f64>,
    /// What to call the result.
    label: Option<String>,
}

#[derive(serde::Serialize, schemars::JsonSchema)]
struct Total {
    label: String,
    total: f64,
}

async fn sum(args: Sum) -> Json<Total> {
    let label = args.label.unwrap_or_else(|| "sum".to_owned());
    Json(Total { label, total: args.numbers.iter().sum() })
}

async fn everything(_: NoArguments) -> CallToolResult {
    CallToolResult::new()
        .block(ContentBlock::text("text").for_user().priority(0.5))
        .block(ContentBlock::image(b"png", "image/png").for_assistant())
        .block(ContentBlock::audio(b"wav", "audio/wav").last_modified("2026-01-01T00:00:00Z"))
        .block(ContentBlock::resource_link(
            ResourceLink::new("file:///a.txt", "a.txt")
                .title("A")
                .description("A file")
                .mime_type("text/plain")
                .size(3),
        ))
        .block(ContentBlock::resource(
            ResourceContents::text("file:///a.txt", "abc").mime_type("text/plain"),
        ))
        .block(ContentBlock::resource(ResourceContents::blob("file:///b", b"\0\xff")).meta("k", 1))
        .meta("example.com/trace", "t")
}

fn server() -> Server {
    Server::new("golden", "1.2.3")
        .title("Golden")
        .description("For golden files.")
        .website_url("https://example.com")
        .icon(Icon::new("https://example.com/i.png").mime_type("image/png").size("48x48"))
        .instructions("Look at the files.")
        .cache(Cache::public(std::time::Duration::from_secs(60)))
        .tool(
            Tool::new("sum", sum)
                .description("Adds numbers.")
                .title("Sum")
                .annotations(ToolAnnotations::new().read_only(true).idempotent(true))
                .icon(Icon::new("data:image/png;base64,AA==").theme(IconTheme::Dark))
                .meta("example.com/team", "math"),
        )
        .tool(Tool::new("everything", everything).description("Has every content."))
        .tool(
            Tool::with_context("talks", async |_: NoArguments, context: Context| {
                context.progress(0.5).total(1.0).message("half").await;
                context.log(LoggingLevel::Notice, json!({ "found": 2 })).await;
                Err::<(), _>(ToolError::new("no luck"))
            })
            .description("Talks and fails."),
        )
}

#[track_caller]
pub(super) fn check(name: &str, seen: &Seen) {
    let pairs = seen.headers.clone().into_pairs();
    let headers =
        pairs.iter().map(|(name, value)| format!("{name}: {}", String::from_utf8_lossy(value)));
    let head =
        std::iter::once(seen.status.to_string()).chain(headers).collect::<Vec<_>>().join("\n");
    let body = match serde_json::from_str::<Value>(&seen.body) {
        Ok(json) => serde_json::to_string_pretty(&json).unwrap(),
        Err(_) => seen.body.clone(),
    };
    insta::with_settings!({ snapshot_path => "golden", prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!(name, format!("{head}\n\n{body}"));
    });
}

fn legacy(version: &str, method: &str, params: Value) -> Seen {
    let message = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
    Wire::post(message.to_string()).header("mcp-protocol-version", version).run(&server())
}

fn talk() -> Value {
    let mut meta = modern_meta();
    meta["progressToken"] = json!("token");
    meta["io.modelcontextprotocol/logLevel"] = json!("debug");
    json!({ "name": "talks", "_meta": meta })
}

#[test]
fn modern_messages() {
    check("discover", &Wire::modern("server/discover", json!({})).run(&server()));
    check("tools_list", &Wire::modern("tools/list", json!({})).run(&server()));
    let numbers = json!({ "numbers": [1, 2.5] });
    check("tools_call_structured", &Wire::call("sum", numbers).run(&server()));
    check("tools_call_contents", &Wire::call("everything", json!({})).run(&server()));
    check("tools_call_bad_arguments", &Wire::call("sum", json!({})).run(&server()));
    check("tools_call_stream", &Wire::modern("tools/call", talk()).run(&server()));
}

#[test]
fn errors() {
    check("error_parse", &Wire::post("{").run(&server()));
    check("error_invalid_request", &Wire::post("{}").run(&server()));
    check("error_method", &Wire::modern("unknown", json!({})).run(&server()));
    check("error_unknown_tool", &Wire::call("none", json!({})).run(&server()));
    check("error_header", &Wire::call("sum", json!({})).set("mcp-name", "x").run(&server()));
    let meta = json!({ "_meta": {
        "io.modelcontextprotocol/protocolVersion": "2030-01-01",
        "io.modelcontextprotocol/clientCapabilities": {},
    } });
    let version = Wire::modern("tools/list", meta).set("mcp-protocol-version", "2030-01-01");
    check("error_version", &version.run(&server()));
}

#[test]
fn legacy_messages() {
    let params = json!({
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": { "name": "c", "version": "1" },
    });
    check("legacy_initialize", &legacy("2025-11-25", "initialize", params));
    check("legacy_ping", &legacy("2025-11-25", "ping", json!({})));
    for version in ["2025-03-26", "2025-06-18", "2025-11-25"] {
        check(&format!("legacy_tools_list_{version}"), &legacy(version, "tools/list", json!({})));
        let call = json!({ "name": "everything" });
        check(&format!("legacy_tools_call_{version}"), &legacy(version, "tools/call", call));
    }
    let structured = json!({ "name": "sum", "arguments": { "numbers": [1] } });
    check("legacy_structured", &legacy("2025-06-18", "tools/call", structured));
}
