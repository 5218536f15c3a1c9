//! What is asked, of whom, and which answers count.

use serde_json::{Value, json};

use super::{KEY, Name, Request, accept, asked, said, text};
use crate::{
    Context, NoArguments, NotAnswered, Prompt, PromptMessage, RequestError, Resource, SealingKeys,
    Server, Tool, ToolError,
};

async fn name(context: &Context) -> Result<String, NotAnswered> {
    context.elicit("name", "What is your name?").await.map(|Name { name }| name)
}

async fn greet(_: NoArguments, context: Context) -> Result<String, ToolError> {
    Ok(format!("Hello, {}!", name(&context).await?))
}

async fn polite(_: NoArguments, context: Context) -> String {
    match name(&context).await {
        Ok(name) => name,
        Err(NotAnswered::Declined { key }) => format!("declined {key}"),
        Err(NotAnswered::Cancelled { key }) => format!("cancelled {key}"),
    }
}

async fn pay(_: NoArguments, context: Context) -> Result<&'static str, ToolError> {
    context.elicit_url("pay", "Please pay.", "https://pay.example/1").await?;
    Ok("thank you")
}

async fn roots(_: NoArguments, context: Context) -> Result<String, ToolError> {
    let roots = context.list_roots("roots").await?;
    Ok(roots.iter().map(|root| format!("{} {:?}", root.uri, root.name)).collect())
}

#[derive(serde::Deserialize, schemars::JsonSchema)]
#[expect(dead_code, reason = "never gets that far")]
struct Nested {
    inner: Name,
}

fn server() -> Server {
    let tool = |name: &'static str| Tool::new(name, async |_: NoArguments| ()).description("x");
    Server::new("questions", "1")
        .sealing_keys(|| SealingKeys::parse(KEY))
        .tool(tool("quiet"))
        .tool(Tool::with_context("greet", greet).description("x"))
        .tool(Tool::with_context("polite", polite).description("x"))
        .tool(Tool::with_context("pay", pay).description("x"))
        .tool(Tool::with_context("roots", roots).description("x"))
        .tool(
            Tool::with_context("nowhere", async |_: NoArguments, context: Context| {
                context.elicit_url("pay", "Pay.", "pay.example").await.map_err(ToolError::from)
            })
            .description("x"),
        )
        .tool(
            Tool::with_context("nested", async |_: NoArguments, context: Context| {
                let nested = context.elicit::<Nested>("nested", "?").await;
                nested.map(|_| ()).map_err(ToolError::from)
            })
            .description("x"),
        )
        .prompt(
            Prompt::with_context("greet", async |_: NoArguments, context: Context| {
                let name = name(&context).await?;
                Ok::<_, RequestError>(PromptMessage::user(format!("Greet {name}.")))
            })
            .description("x"),
        )
        .resource(Resource::with_context("greet://me", "me", async |context: Context| {
            Ok::<_, RequestError>(name(&context).await?)
        }))
}

/// All ways to be asked for one's name.
fn greetings() -> [Request; 3] {
    [Request::call("greet", json!({})), Request::prompt("greet"), Request::read("greet://me")]
}

/// What a request comes to when it is answered so.
fn answered(request: &Request, responses: Value) -> super::Seen {
    let first = request.ask().run(&server()).result();
    request.answer(&first, responses).run(&server())
}

#[test]
fn i1_i2_a_question_is_a_result_without_cache_hints() {
    for request in greetings() {
        let seen = request.ask().run(&server());
        assert_eq!(seen.header("content-type"), Some("application/json"), "h13");
        let mut result = seen.result();
        let state = result["requestState"].take();
        assert!(state.as_str().is_some_and(|state| !state.is_empty()), "{state}");
        assert_eq!(
            result,
            json!({
                "resultType": "input_required",
                "inputRequests": {
                    "name": {
                        "method": "elicitation/create",
                        "params": {
                            "mode": "form",
                            "message": "What is your name?",
                            "requestedSchema": {
                                "type": "object",
                                "properties": {
                                    "name": {
                                        "type": "string",
                                        "description": "Yours.",
                                        "minLength": 2,
                                    },
                                },
                                "required": ["name"],
                            },
                        },
                    },
                },
                "requestState": null,
                "_meta": {
                    "io.modelcontextprotocol/serverInfo": { "name": "questions", "version": "1" },
                },
            }),
            "{}",
            request.method
        );
    }
}

#[test]
fn i2_urls_and_roots_are_asked_for_in_their_own_forms() {
    let request = |tool: &str, key: &str| {
        let result = Request::call(tool, json!({})).ask().run(&server()).result();
        result["inputRequests"][key].clone()
    };
    assert_eq!(
        request("pay", "pay"),
        json!({
            "method": "elicitation/create",
            "params": { "mode": "url", "message": "Please pay.", "url": "https://pay.example/1" },
        })
    );
    assert_eq!(request("roots", "roots"), json!({ "method": "roots/list", "params": {} }));
}

#[test]
fn i3_a_client_is_told_what_it_lacks() {
    let form = json!({ "elicitation": { "form": {} } });
    let url = json!({ "elicitation": { "url": {} } });
    for (tool, declared, lacking) in [
        ("greet", json!({}), &form),
        ("greet", json!({ "sampling": {}, "roots": {} }), &form),
        ("greet", url.clone(), &form),
        ("pay", json!({}), &url),
        ("pay", json!({ "elicitation": {} }), &url),
        ("pay", form.clone(), &url),
        ("roots", form.clone(), &json!({ "roots": {} })),
    ] {
        let request = Request::call(tool, json!({})).capabilities(declared.clone());
        let seen = request.ask().run(&server());
        assert_eq!(seen.refusal(), (400, -32021), "{tool} {declared}");
        let data = json!({ "requiredCapabilities": lacking });
        assert_eq!(seen.json()["error"]["data"], data, "{tool} {declared}");
    }
    for request in greetings() {
        let seen = request.capabilities(json!({})).ask().run(&server());
        assert_eq!(seen.refusal(), (400, -32021));
    }
}

#[test]
fn i3_a_client_is_asked_what_it_can() {
    for (tool, declared) in [
        ("greet", json!({ "elicitation": {} })),
        ("greet", json!({ "elicitation": { "form": { "new": 1 } } })),
        ("pay", json!({ "elicitation": { "url": {} } })),
        ("roots", json!({ "roots": { "listChanged": true } })),
    ] {
        let request = Request::call(tool, json!({})).capabilities(declared.clone());
        assert_eq!(asked(&request.ask().run(&server()).result()).len(), 1, "{tool} {declared}");
    }
    let bare = Request::call("quiet", json!({})).capabilities(json!({}));
    assert_eq!(bare.ask().run(&server()).result()["resultType"], "complete", "asks nothing");
}

#[test]
fn i3_only_what_this_round_declares_counts() {
    let request = Request::call("greet", json!({}));
    let first = request.ask().run(&server()).result();
    let other = request.capabilities(json!({}));
    assert_eq!(other.answer(&first, json!({})).run(&server()).refusal(), (400, -32021));
    let answer = json!({ "name": accept(json!({ "name": "Ann" })) });
    assert_eq!(text(&other.answer(&first, answer).run(&server())), said("Hello, Ann!"));
}

#[test]
fn i4_an_answer_leads_to_the_result() {
    let [tool, prompt, resource] = greetings();
    let answer = || json!({ "name": accept(json!({ "name": "Ann" })) });
    assert_eq!(text(&answered(&tool, answer())), said("Hello, Ann!"));
    let messages = answered(&prompt, answer()).result();
    assert_eq!(messages["messages"][0]["content"]["text"], "Greet Ann.");
    let contents = answered(&resource, answer()).result();
    assert_eq!(contents["contents"][0]["text"], "Ann");
    assert_eq!((&contents["ttlMs"], &contents["cacheScope"]), (&json!(0), &json!("private")), "g3");
}

#[test]
fn i4_urls_and_roots_are_answered_in_their_own_forms() {
    let pay = Request::call("pay", json!({}));
    let seen = answered(&pay, json!({ "pay": { "action": "accept" } }));
    assert_eq!(text(&seen), said("thank you"));
    let seen = answered(&pay, json!({ "pay": { "action": "decline" } }));
    assert_eq!(text(&seen), ("The user declined `pay`".to_owned(), true));
    let roots = Request::call("roots", json!({}));
    let list = json!([{ "uri": "file:///a", "name": "A", "_meta": {} }, { "uri": "file:///b" }]);
    let seen = answered(&roots, json!({ "roots": { "roots": list } }));
    assert_eq!(text(&seen), said("file:///a Some(\"A\")file:///b None"));
    for odd in [json!({}), json!({ "roots": null }), json!({ "roots": [{}] })] {
        let again = answered(&roots, json!({ "roots": odd })).result();
        assert_eq!(asked(&again), ["roots"], "i5 {odd}");
    }
}

#[test]
fn i5_what_is_no_answer_is_asked_for_again() {
    let fits = accept(json!({ "name": "Ann" }));
    for responses in [
        json!({}),
        json!(null),
        json!([]),
        json!({ "name": null }),
        json!({ "name": [] }),
        json!({ "other": fits }),
        json!({ "Name": fits }),
        json!({ "name": {} }),
        json!({ "name": { "action": "maybe", "content": { "name": "Ann" } } }),
        json!({ "name": { "action": null } }),
        json!({ "name": { "content": { "name": "Ann" } } }),
    ] {
        for request in greetings() {
            let again = answered(&request, responses.clone()).result();
            assert_eq!(asked(&again), ["name"], "{} {responses}", request.method);
        }
    }
}

#[test]
fn i5_unknown_keys_are_ignored() {
    let responses = json!({ "name": accept(json!({ "name": "Ann" })), "other": { "x": 1 } });
    assert_eq!(text(&answered(&greetings()[0], responses)), said("Hello, Ann!"));
}

#[test]
fn i5_what_has_no_form_at_all_is_refused() {
    for responses in [
        json!([1]),
        json!("name"),
        json!(1),
        json!({ "name": 1 }),
        json!({ "name": "Ann" }),
        json!({ "name": [1] }),
        json!({ "name": accept(json!({ "name": "Ann" })), "other": 1 }),
    ] {
        for request in greetings() {
            let seen = answered(&request, responses.clone());
            assert_eq!(seen.refusal(), (200, -32602), "{} {responses}", request.method);
        }
    }
    for state in [json!(1), json!({}), json!([])] {
        for request in greetings() {
            let seen = request.with(&json!({ "requestState": state })).run(&server());
            assert_eq!(seen.refusal(), (200, -32602), "{} {state}", request.method);
        }
    }
    let quiet = Request::call("quiet", json!({}));
    let seen = quiet.with(&json!({ "inputResponses": 1, "requestState": 1 })).run(&server());
    assert_eq!(seen.status, 200, "j5: who asks nothing does not look");
    assert!(seen.result()["content"].is_array());
}

#[test]
fn e4_an_answer_that_does_not_fit_its_form_is_asked_for_again() {
    let content = |content: Value| json!({ "name": accept(content) });
    for responses in [
        json!({ "name": { "action": "accept" } }),
        content(json!(null)),
        content(json!([])),
        content(json!({})),
        content(json!({ "name": 5 })),
        content(json!({ "name": null })),
        content(json!({ "name": "A" })),
    ] {
        let again = answered(&greetings()[0], responses.clone()).result();
        assert_eq!(asked(&again), ["name"], "{responses}");
    }
    let more = content(json!({ "name": "Ann", "age": 7 }));
    assert_eq!(text(&answered(&greetings()[0], more)), said("Hello, Ann!"));
}

#[test]
fn i11_a_refusal_is_an_answer() {
    let [tool, prompt, resource] = greetings();
    for (action, reason) in [
        ("decline", "The user declined `name`"),
        ("cancel", "The user dismissed `name` without a choice"),
    ] {
        let refusal = || json!({ "name": { "action": action } });
        assert_eq!(text(&answered(&tool, refusal())), (reason.to_owned(), true));
        for request in [&prompt, &resource] {
            let seen = answered(request, refusal());
            assert_eq!(seen.refusal(), (200, -32602), "{action}");
            let message = format!("Invalid params: {reason}");
            assert_eq!(seen.json()["error"]["message"], message);
        }
    }
    let polite = Request::call("polite", json!({}));
    let seen = answered(&polite, json!({ "name": { "action": "decline" } }));
    assert_eq!(text(&seen), said("declined name"), "a handler may go on without");
    let with_content = json!({ "name": { "action": "cancel", "content": { "name": "Ann" } } });
    assert_eq!(text(&answered(&polite, with_content)), said("cancelled name"));
}

#[test]
fn what_cannot_be_asked_is_the_servers_fault() {
    for (tool, cause) in [
        ("nowhere", "`pay.example` is not a URL to send a user to"),
        ("nested", "field `inner`: a form has strings, numbers, booleans, choices and lists"),
    ] {
        let seen = Request::call(tool, json!({})).ask().run(&server());
        assert_eq!(seen.refusal(), (500, -32603), "{tool}");
        let log = seen.log.into_inner();
        assert!(log[0].starts_with(&format!("midge: internal error: {cause}")), "{log:?}");
    }
}
