//! What goes over the wire for prompts, resources and the rest, as files to look at.

use futures_lite::stream;
use serde_json::{Value, json};

use super::golden::check;
use super::wire::{Seen, Wire, modern_meta};
use crate::features::apps::{App, Permission};
use crate::{
    Annotations, Change, ContentBlock, Context, GetPromptResult, Icon, NoArguments, Prompt,
    PromptMessage, RequestError, Resource, ResourceLink, SealingKeys, Server, Subscriptions, Tool,
    ToolError,
};

#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Review {
    /// The code to review.
    #[schemars(title = "Code")]
    code: String,
    language: Option<String>,
}

async fn review(Review { code, language }: Review) -> GetPromptResult {
    let link = ResourceLink::new("docs://style", "style").icon(Icon::new("https://example.com/i"));
    GetPromptResult::new()
        .description("Reviews code")
        .message(PromptMessage::user(format!("Review {code} in {language:?}")))
        .message(PromptMessage::assistant(ContentBlock::resource_link(link)))
}

#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Page {
    name: String,
}

/// Every kind of field that a form can have.
#[derive(serde::Deserialize, schemars::JsonSchema)]
#[expect(dead_code, reason = "only asked for")]
struct Order {
    /// Who gets it.
    #[schemars(length(min = 1, max = 40))]
    name: String,
    #[schemars(email)]
    mail: Option<String>,
    #[schemars(range(min = 1, max = 9))]
    count: u8,
    tip: Option<f64>,
    #[serde(default)]
    gift: bool,
    size: Size,
    colors: Vec<Size>,
}

#[derive(serde::Deserialize, schemars::JsonSchema)]
enum Size {
    Small,
    Large,
}

async fn order(_: NoArguments, context: Context) -> Result<&'static str, ToolError> {
    let order = context.elicit::<Order>("order", "What do you want?");
    let pay = context.elicit_url("pay", "Please pay.", "https://pay.example/1");
    let (order, (pay, roots)) = futures_lite::future::zip(
        order,
        futures_lite::future::zip(pay, context.list_roots("roots")),
    )
    .await;
    order?;
    pay?;
    roots?;
    Ok("ordered")
}

fn server() -> Server {
    Server::new("golden", "1.2.3")
        .sealing_keys(|| SealingKeys::parse("a:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="))
        .apps()
        .prompt(
            Prompt::new("review", review)
                .title("Review")
                .description("Reviews code.")
                .icon(Icon::new("https://example.com/i.png"))
                .meta("example.com/team", "tools")
                .complete_from("language", &["Rust", "Ruby"]),
        )
        .prompt(
            Prompt::with_context("asks", async |_: NoArguments, context: Context| {
                context.elicit_url("pay", "Please pay.", "https://pay.example/1").await?;
                Ok::<_, RequestError>("")
            })
            .description("Asks."),
        )
        .resource(
            Resource::text("docs://style", "style", "Be clear.")
                .title("Style")
                .description("How to write.")
                .mime_type("text/plain")
                .annotations(Annotations::new().for_user().last_modified("2026-01-01T00:00:00Z"))
                .icon(Icon::new("https://example.com/i.png"))
                .meta("example.com/team", "docs"),
        )
        .resource(Resource::bytes("docs://logo", "logo", b"\x89PNG").mime_type("image/png"))
        .resource(
            App::new("ui://page", "page", "<!doctype html><title>x</title>")
                .connect("https://api.example")
                .permission(Permission::Camera),
        )
        .resource(
            Resource::template("docs://{name}/page", "page", async |page: Page| page.name)
                .title("Page")
                .mime_type("text/plain"),
        )
        .tool(Tool::with_context("order", order).description("Asks.").ui("ui://page"))
        .subscriptions(
            Subscriptions::stream(|_| {
                stream::iter([Change::Tools, Change::Resource("docs://style".to_owned())])
            })
            .tools()
            .prompts()
            .resources()
            .resource_updates(),
        )
}

/// A client that can do everything.
fn modern(method: &str, mut params: Value) -> Seen {
    params["_meta"] = modern_meta();
    params["_meta"]["io.modelcontextprotocol/clientCapabilities"] =
        json!({ "elicitation": { "form": {}, "url": {} }, "roots": {} });
    Wire::modern(method, params).run(&server())
}

/// What is sealed is another text in every run.
fn without_token(mut seen: Seen, member: &str) -> Seen {
    let token = seen.result()[member].as_str().unwrap().to_owned();
    seen.body = seen.body.replace(&token, "SEALED");
    seen
}

fn requests() -> [(&'static str, &'static str, Value); 7] {
    let reference = json!({ "type": "ref/prompt", "name": "review" });
    [
        ("prompts_list", "prompts/list", json!({})),
        ("prompts_get", "prompts/get", json!({ "name": "review", "arguments": { "code": "x" } })),
        ("resources_list", "resources/list", json!({})),
        ("resources_templates_list", "resources/templates/list", json!({})),
        ("resources_read", "resources/read", json!({ "uri": "docs://style" })),
        ("resources_read_not_found", "resources/read", json!({ "uri": "docs://none" })),
        (
            "completion_complete",
            "completion/complete",
            json!({ "ref": reference, "argument": { "name": "language", "value": "ru" } }),
        ),
    ]
}

#[test]
fn modern_messages() {
    for (name, method, params) in requests() {
        check(name, &modern(method, params));
    }
    check("discover_all", &modern("server/discover", json!({})));
    let app = json!({ "uri": "ui://page" });
    check("resources_read_app", &modern("resources/read", app));
    let wanted = json!({ "toolsListChanged": true, "resourceSubscriptions": ["docs://style"] });
    check(
        "subscriptions_listen",
        &modern("subscriptions/listen", json!({ "notifications": wanted })),
    );
}

#[test]
fn modern_questions() {
    let call = modern("tools/call", json!({ "name": "order" }));
    check("input_required_tool", &without_token(call, "requestState"));
    let get = modern("prompts/get", json!({ "name": "asks" }));
    check("input_required_prompt", &without_token(get, "requestState"));
    let unable = Wire::modern("tools/call", json!({ "name": "order" })).run(&server());
    check("error_capability", &unable);
}

#[test]
fn a_page() {
    let seen = Wire::modern("prompts/list", json!({})).run(&server().page_size(1));
    check("prompts_list_page", &without_token(seen, "nextCursor"));
}

#[test]
fn legacy_messages() {
    for (name, method, params) in requests() {
        check(
            &format!("legacy_{name}"),
            &Wire::legacy("2025-03-26", method, params).run(&server()),
        );
    }
    let newest =
        |method: &str, params: Value| Wire::legacy("2025-11-25", method, params).run(&server());
    let params = json!({
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": { "name": "c", "version": "1" },
    });
    check("legacy_initialize_all", &newest("initialize", params));
    check("legacy_question_tool", &newest("tools/call", json!({ "name": "order" })));
    check("legacy_question_prompt", &newest("prompts/get", json!({ "name": "asks" })));
}
