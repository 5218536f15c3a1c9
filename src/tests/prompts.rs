//! Prompts, over whole exchanges.

use serde_json::{Value, json};

use super::wire::{LEGACY, Wire, modern_meta};
use crate::{
    ContentBlock, Context, GetPromptResult, Icon, InvalidServer, LoggingLevel, NoArguments, Prompt,
    PromptMessage, RequestError, ResourceContents, ResourceLink, Server,
};

#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Review {
    /// The code to review.
    #[schemars(title = "Code")]
    code: String,
    language: Option<Language>,
    /// How many remarks at most.
    remarks: Option<u8>,
}

#[derive(Debug, serde::Deserialize, schemars::JsonSchema)]
enum Language {
    Rust,
    Ruby,
}

async fn review(args: Review) -> GetPromptResult {
    let Review { code, language, remarks } = args;
    let language = language.map_or_else(|| "some language".to_owned(), |it| format!("{it:?}"));
    GetPromptResult::new()
        .description(format!("Reviews {language}"))
        .message(PromptMessage::user(format!("At most {remarks:?} remarks on {code}")))
        .message(PromptMessage::assistant("I see"))
}

async fn contents(_: NoArguments) -> Vec<PromptMessage> {
    let link = ResourceLink::new("docs://a", "a").title("A").icon(Icon::new("https://a.example"));
    let embedded = ResourceContents::text("docs://a", "text").meta("example.com/a", 1);
    vec![
        PromptMessage::user(ContentBlock::image(b"png", "image/png").priority(0.5)),
        PromptMessage::user(ContentBlock::audio(b"wav", "audio/wav")),
        PromptMessage::assistant(ContentBlock::resource_link(link)),
        PromptMessage::user(ContentBlock::resource(embedded).last_modified("2026-01-01T00:00:00Z")),
    ]
}

async fn fails(args: Review) -> Result<&'static str, RequestError> {
    match args.code.as_str() {
        "invalid" => Err(RequestError::invalid("`code` is empty")),
        "missing" => Err(RequestError::NotFound),
        _ => Err(RequestError::internal("the password is 1234")),
    }
}

async fn talks(_: NoArguments, context: Context) -> &'static str {
    context.progress(0.5).total(1.0).message("half").await;
    context.progress(0.5).await;
    context.log(LoggingLevel::Notice, "found it").await;
    context.log(LoggingLevel::Debug, "detail").await;
    "done"
}

fn server() -> Server {
    Server::new("prompts", "1")
        .prompt(
            Prompt::new("review", review)
                .title("Review")
                .description("Reviews code.")
                .icon(Icon::new("https://example.com/i.png"))
                .meta("example.com/team", "tools"),
        )
        .prompt(Prompt::new("contents", contents).description("Has every content."))
        .prompt(Prompt::new("fails", fails).description("Fails."))
        .prompt(Prompt::with_context("talks", talks).description("Talks."))
        .prompt(Prompt::new("\u{fc}ber", async |_: NoArguments| "about").description("Odd name."))
}

fn get(name: &str, arguments: Value) -> Wire {
    Wire::modern("prompts/get", json!({ "name": name, "arguments": arguments }))
}

fn listed(version: &str) -> Value {
    Wire::legacy(version, "prompts/list", json!({})).run(&server()).result()
}

#[test]
fn p1_prompts_are_listed_with_their_arguments() {
    let result = Wire::modern("prompts/list", json!({})).run(&server()).result();
    assert_eq!(result["resultType"], "complete");
    assert_eq!(
        result["prompts"][0],
        json!({
            "name": "review",
            "title": "Review",
            "description": "Reviews code.",
            "arguments": [
                {
                    "name": "code",
                    "title": "Code",
                    "description": "The code to review.",
                    "required": true,
                },
                { "name": "language", "required": false },
                { "name": "remarks", "description": "How many remarks at most.", "required": false },
            ],
            "icons": [{ "src": "https://example.com/i.png" }],
            "_meta": { "example.com/team": "tools" },
        })
    );
    assert_eq!(
        result["prompts"][1],
        json!({ "name": "contents", "description": "Has every content." })
    );
    let names: Vec<_> =
        result["prompts"].as_array().unwrap().iter().map(|prompt| &prompt["name"]).collect();
    assert_eq!(names, ["review", "contents", "fails", "talks", "\u{fc}ber"], "in their order");
}

#[test]
fn p1_older_clients_get_what_they_know() {
    for (version, titles, icons) in
        [("2025-03-26", false, false), ("2025-06-18", true, false), ("2025-11-25", true, true)]
    {
        let result = listed(version);
        let prompt = &result["prompts"][0];
        assert_eq!(prompt.get("title").is_some(), titles, "{version}");
        assert_eq!(prompt["arguments"][0].get("title").is_some(), titles, "{version}");
        assert_eq!(prompt.get("_meta").is_some(), titles, "{version}");
        assert_eq!(prompt.get("icons").is_some(), icons, "{version}");
        assert_eq!(prompt["arguments"][0]["required"], true, "{version}");
        let members: Vec<_> = result.as_object().unwrap().keys().collect();
        assert_eq!(members, ["prompts"], "{version}: no resultType, no cache hints");
    }
}

#[test]
fn d2_prompts_are_declared_where_there_are_some() {
    let capabilities = |server: &Server| {
        let result = Wire::modern("server/discover", json!({})).run(server).result();
        result["capabilities"]["prompts"].clone()
    };
    assert_eq!(capabilities(&server()), json!({}));
    let none = Server::new("none", "1");
    assert_eq!(capabilities(&none), Value::Null);
    for method in ["prompts/list", "prompts/get"] {
        let params = json!({ "name": "review" });
        assert_eq!(Wire::modern(method, params.clone()).run(&none).refusal(), (404, -32601));
        for version in LEGACY {
            let seen = Wire::legacy(version, method, params.clone()).run(&none);
            assert_eq!(seen.refusal(), (200, -32601), "{version} {method}");
        }
    }
}

#[test]
fn p2_arguments_are_read_into_their_types() {
    let arguments = json!({ "code": "x = 1", "language": "Ruby", "remarks": "3", "other": "?" });
    let result = get("review", arguments).run(&server()).result();
    assert_eq!(
        result,
        json!({
            "resultType": "complete",
            "description": "Reviews Ruby",
            "messages": [
                {
                    "role": "user",
                    "content": { "type": "text", "text": "At most Some(3) remarks on x = 1" },
                },
                { "role": "assistant", "content": { "type": "text", "text": "I see" } },
            ],
            "_meta": {
                "io.modelcontextprotocol/serverInfo": { "name": "prompts", "version": "1" },
            },
        }),
        "and no cache hints"
    );
    let text = &get("\u{fc}ber", json!({})).set("mcp-name", "=?base64?w7xiZXI=?=").run(&server());
    assert_eq!(text.result()["messages"][0]["content"]["text"], "about");
    assert!(text.result().get("description").is_none());
}

#[test]
fn p2_arguments_may_be_missing_where_there_are_none() {
    let bare = Wire::modern("prompts/get", json!({ "name": "contents" }));
    assert_eq!(bare.run(&server()).result()["messages"].as_array().unwrap().len(), 4);
}

#[test]
fn p2_arguments_are_an_object_of_strings() {
    for arguments in [json!({ "code": 1 }), json!({ "code": null }), json!([]), json!("code")] {
        let seen = get("review", arguments.clone()).run(&server());
        assert_eq!(seen.refusal(), (200, -32602), "{arguments}");
    }
    for params in [json!({}), json!({ "name": 1 }), json!({ "name": null })] {
        let seen = Wire::modern("prompts/get", params.clone()).run(&server());
        assert_eq!(seen.refusal(), (200, -32602), "{params}");
    }
}

#[test]
fn p2_contents_are_of_the_clients_version() {
    let messages = |version: &str| {
        let params = json!({ "name": "contents" });
        Wire::legacy(version, "prompts/get", params).run(&server()).result()
    };
    let oldest = messages("2025-03-26");
    assert_eq!(oldest["messages"][2]["content"], json!({ "type": "text", "text": "a: docs://a" }));
    let embedded = &oldest["messages"][3]["content"];
    assert_eq!(embedded["resource"], json!({ "uri": "docs://a", "text": "text" }));
    assert_eq!(embedded["annotations"], json!({}));
    let middle = messages("2025-06-18");
    assert_eq!(middle["messages"][2]["content"]["type"], "resource_link");
    assert_eq!(middle["messages"][2]["content"].get("icons"), None);
    assert_eq!(middle["messages"][3]["content"]["resource"]["_meta"]["example.com/a"], 1);
    let newest = messages("2025-11-25");
    assert_eq!(newest["messages"][2]["content"]["icons"][0]["src"], "https://a.example");
    for result in [oldest, middle, newest] {
        let members: Vec<_> = result.as_object().unwrap().keys().collect();
        assert_eq!(members, ["messages"]);
    }
}

#[test]
fn p3_what_does_not_fit_is_told_by_name() {
    for (arguments, reason) in [
        (json!({}), "`code` is missing"),
        (
            json!({ "code": "x", "remarks": "many" }),
            "`remarks` must be a whole number from 0 to 255, not `many`",
        ),
        (
            json!({ "code": "x", "remarks": "256" }),
            "`remarks` must be a whole number from 0 to 255, not `256`",
        ),
        (
            json!({ "code": "x", "language": "C" }),
            "`language` must be one of `Rust`, `Ruby`, not `C`",
        ),
    ] {
        let seen = get("review", arguments.clone()).run(&server());
        assert_eq!(seen.refusal(), (200, -32602), "{arguments}");
        let message = seen.json()["error"]["message"].as_str().unwrap().to_owned();
        assert_eq!(message, format!("Invalid params: {reason}"));
    }
    let unknown = get("none", json!({})).run(&server());
    assert_eq!(unknown.refusal(), (200, -32602));
    assert_eq!(unknown.json()["error"]["message"], "Invalid params: unknown prompt: none");
}

#[test]
fn p3_a_handler_fails_by_invalid_params_or_inside() {
    for (code, expected, message) in [
        ("invalid", (200, -32602), "Invalid params: `code` is empty"),
        ("missing", (200, -32602), "Invalid params: not found"),
        ("inside", (500, -32603), "Internal error"),
    ] {
        let seen = get("fails", json!({ "code": code })).run(&server());
        assert_eq!(seen.refusal(), expected);
        assert_eq!(seen.json()["error"]["message"], message);
        assert!(!seen.body.contains("1234"), "{}", seen.body);
        for version in LEGACY {
            let params = json!({ "name": "fails", "arguments": { "code": code } });
            let seen = Wire::legacy(version, "prompts/get", params).run(&server());
            assert_eq!(seen.refusal(), expected, "{version}");
        }
    }
    let log = get("fails", json!({ "code": "" })).run(&server()).log.into_inner();
    assert_eq!(log, ["midge: internal error: the password is 1234"]);
}

#[test]
fn h20_the_name_is_repeated_in_the_header() {
    let named = |name: &str| get("contents", json!({})).set("mcp-name", name).run(&server());
    assert_eq!(named(" contents\t").status, 200);
    assert_eq!(named("=?base64?Y29udGVudHM=?=").status, 200, "h22");
    for wrong in ["review", "Contents", "=?base64?Y29udGVudHM?=", "=?base64?/w==?="] {
        assert_eq!(named(wrong).refusal(), (400, -32020), "h21 {wrong}");
    }
    let missing = get("none", json!({})).without("mcp-name").run(&server());
    assert_eq!(missing.refusal(), (400, -32020), "before the lookup");
    let legacy = Wire::legacy("2025-11-25", "prompts/get", json!({ "name": "contents" }));
    assert_eq!(legacy.header("mcp-name", "review").run(&server()).status, 200, "h25");
}

#[test]
fn o1_o2_a_prompt_tells_what_it_was_asked_to() {
    let mut meta = modern_meta();
    let silent = Wire::modern("prompts/get", json!({ "name": "talks", "_meta": meta }));
    assert_eq!(silent.run(&server()).header("content-type"), Some("application/json"));
    meta["progressToken"] = json!(7);
    meta["io.modelcontextprotocol/logLevel"] = json!("info");
    let params = json!({ "name": "talks", "_meta": meta });
    let seen = Wire::modern("prompts/get", params).run(&server());
    let events = seen.events();
    assert_eq!(events.len(), 3, "{}", seen.body);
    assert_eq!(
        events[0]["params"],
        json!({ "progressToken": 7, "progress": 0.5, "total": 1.0, "message": "half" })
    );
    assert_eq!(events[1]["params"], json!({ "level": "notice", "data": "found it" }));
    assert_eq!(events[2]["result"]["messages"][0]["content"]["text"], "done");
}

#[test]
fn p1_validate_names_what_clients_would_refuse() {
    let prompt = |name: &'static str| Prompt::new(name, async |_: NoArguments| "");
    let server = Server::new("bad", "1")
        .prompt(prompt("twice").description("x"))
        .prompt(prompt("twice").description("x"))
        .prompt(prompt("").meta("a b", 1))
        .prompt(prompt("completes").description("x").complete_from("nothing", &[]))
        .prompt(Prompt::new("list", async |_: Vec<String>| "").description("x"));
    let InvalidServer(problems) = server.validate().unwrap_err();
    assert_eq!(
        problems,
        [
            "prompt `twice`: there are two of that name",
            "prompt ``: a name is missing",
            "prompt ``: a description is missing, and users choose by it",
            "prompt ``: `a b` is not a key that a server may use in `_meta`",
            "prompt `completes`: it completes `nothing`, which is no argument",
            "prompt `list`: the arguments must be a struct with named fields",
        ]
    );
    self::server().validate().unwrap();
}
