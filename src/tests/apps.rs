//! Extensions, and the one for tools with pages, over whole exchanges.

use serde_json::{Value, json};

use super::wire::{LEGACY, Wire, modern_meta};
use crate::features::apps::{App, ID, MIME_TYPE, Permission, Visibility};
use crate::{Context, InvalidServer, NoArguments, Resource, Server, Tool};

const PAGE: &str = "<!doctype html><title>Clock</title><p>It is late.</p>";

fn tool(name: &'static str) -> Tool {
    Tool::new(name, async |_: NoArguments| "23:59").description("x")
}

fn server() -> Server {
    let page = App::new("ui://clock/page", "clock page", PAGE)
        .connect("https://time.example")
        .load_from("https://cdn.example")
        .frame("https://frame.example")
        .base_uri("https://base.example")
        .permission(Permission::Camera)
        .permission(Permission::Microphone)
        .permission(Permission::Geolocation)
        .permission(Permission::ClipboardWrite)
        .domain("clock.example")
        .border(true);
    Server::new("apps", "1")
        .apps()
        .resource(page)
        .resource(App::new("ui://clock/bare", "bare page", PAGE))
        .tool(tool("clock").ui("ui://clock/page"))
        .tool(tool("tick").ui("ui://clock/page").ui_visibility(&[Visibility::App]))
        .tool(
            tool("tock").ui_visibility(&[Visibility::Model, Visibility::App]).ui("ui://clock/bare"),
        )
        .tool(tool("plain"))
}

fn capabilities(server: &Server) -> Value {
    Wire::modern("server/discover", json!({})).run(server).result()["capabilities"].clone()
}

fn initialized(server: &Server, version: &str) -> Value {
    let params = json!({
        "protocolVersion": version,
        "capabilities": {},
        "clientInfo": { "name": "c", "version": "1" },
    });
    Wire::legacy(version, "initialize", params).run(server).result()["capabilities"].clone()
}

fn metas(result: &Value) -> Vec<Value> {
    result["tools"].as_array().unwrap().iter().map(|tool| tool["_meta"].clone()).collect()
}

#[test]
fn apps_are_declared_by_their_id() {
    assert_eq!(capabilities(&server())["extensions"], json!({ ID: {} }));
    assert_eq!(ID, "io.modelcontextprotocol/ui");
}

#[test]
fn apps_tools_name_their_page_and_who_may_call_them() {
    let page = "ui://clock/page";
    let expected = [
        json!({ "ui": { "resourceUri": page } }),
        json!({ "ui": { "resourceUri": page, "visibility": ["app"] } }),
        json!({ "ui": { "resourceUri": "ui://clock/bare", "visibility": ["model", "app"] } }),
        Value::Null,
    ];
    let result = Wire::modern("tools/list", json!({})).run(&server()).result();
    assert_eq!(metas(&result), expected);
    for version in LEGACY {
        let result = Wire::legacy(version, "tools/list", json!({})).run(&server()).result();
        let has_meta = version != "2025-03-26";
        assert_eq!(metas(&result)[0], if has_meta { expected[0].clone() } else { Value::Null });
    }
}

#[test]
fn apps_pages_are_read_with_what_their_frame_may_do() {
    let read = |uri: &str| {
        let seen = Wire::modern("resources/read", json!({ "uri": uri })).run(&server());
        seen.result()["contents"].clone()
    };
    assert_eq!(
        read("ui://clock/page"),
        json!([{
            "uri": "ui://clock/page",
            "mimeType": "text/html;profile=mcp-app",
            "text": PAGE,
            "_meta": {
                "ui": {
                    "csp": {
                        "connectDomains": ["https://time.example"],
                        "resourceDomains": ["https://cdn.example"],
                        "frameDomains": ["https://frame.example"],
                        "baseUriDomains": ["https://base.example"],
                    },
                    "permissions": {
                        "camera": {},
                        "microphone": {},
                        "geolocation": {},
                        "clipboardWrite": {},
                    },
                    "domain": "clock.example",
                    "prefersBorder": true,
                },
            },
        }])
    );
    assert_eq!(
        read("ui://clock/bare"),
        json!([{ "uri": "ui://clock/bare", "mimeType": MIME_TYPE, "text": PAGE }]),
        "and nothing where nothing was said"
    );
}

#[test]
fn apps_pages_are_not_listed() {
    let list = |server: &Server| {
        Wire::modern("resources/list", json!({})).run(server).result()["resources"].clone()
    };
    assert_eq!(list(&server()), json!([]));
}

#[test]
fn apps_a_tool_answers_with_text_whoever_asks() {
    for capabilities in [json!({}), json!({ "extensions": { ID: { "mimeTypes": [MIME_TYPE] } } })] {
        let mut meta = modern_meta();
        meta["io.modelcontextprotocol/clientCapabilities"] = capabilities;
        let params = json!({ "name": "clock", "_meta": meta });
        let result = Wire::modern("tools/call", params).run(&server()).result();
        assert_eq!(result["content"][0]["text"], "23:59");
    }
}

#[test]
fn apps_a_page_that_a_tool_names_must_exist() {
    let server = Server::new("bad", "1")
        .apps()
        .resource(Resource::text("docs://a", "a", ""))
        .tool(tool("none").ui("ui://none"))
        .tool(tool("other").ui("docs://a"));
    let InvalidServer(problems) = server.validate().unwrap_err();
    assert_eq!(
        problems,
        ["tool `none`: there is no page `ui://none`", "tool `other`: there is no page `docs://a`",]
    );
    self::server().validate().unwrap();
}

#[test]
fn x1_extensions_are_declared_to_who_knows_them() {
    let settings = json!({ "max": 3 });
    let server = Server::new("extended", "1")
        .extension("com.example/a", settings.clone())
        .extension("com.example/b", json!({}));
    let expected = json!({ "com.example/a": settings, "com.example/b": {} });
    assert_eq!(capabilities(&server)["extensions"], expected);
    assert_eq!(initialized(&server, "2025-11-25")["extensions"], expected);
    for version in ["2025-03-26", "2025-06-18"] {
        assert_eq!(initialized(&server, version).get("extensions"), None, "{version}");
    }
    let plain = Server::new("plain", "1");
    assert_eq!(capabilities(&plain).get("extensions"), None, "off by default");
}

#[test]
fn x1_a_handler_knows_whether_the_client_declared_it() {
    let server = Server::new("extended", "1").extension("com.example/a", json!({})).tool(
        Tool::with_context("t", async |_: NoArguments, context: Context| {
            format!("{:?}", context.extension("com.example/a").map(|settings| settings.to_string()))
        })
        .description("x"),
    );
    let said = |extensions: Value| {
        let mut meta = modern_meta();
        meta["io.modelcontextprotocol/clientCapabilities"] = json!({ "extensions": extensions });
        let params = json!({ "name": "t", "_meta": meta });
        let result = Wire::modern("tools/call", params).run(&server).result();
        result["content"][0]["text"].as_str().unwrap().to_owned()
    };
    assert_eq!(said(json!({ "com.example/a": { "x": 1 } })), r#"Some("{\"x\":1}")"#);
    assert_eq!(said(json!({ "com.example/a": {} })), r#"Some("{}")"#);
    assert_eq!(said(json!({ "com.example/b": {} })), "None");
    assert_eq!(said(json!({})), "None");
}

#[test]
fn x1_ids_have_a_prefix_and_settings_are_an_object() {
    let server = Server::new("bad", "1")
        .extension("plain", json!({}))
        .extension("com.example/", json!({}))
        .extension("com.example/list", json!([]))
        .extension("com.example/fine", json!({}));
    let InvalidServer(problems) = server.validate().unwrap_err();
    assert_eq!(
        problems,
        [
            "extension `com.example/`: an id is like com.example/name",
            "extension `com.example/list`: settings are an object",
            "extension `plain`: an id is like com.example/name",
        ]
    );
}
