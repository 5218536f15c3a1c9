//! Questions to the client's model, over whole exchanges.

use serde_json::{Value, json};

use super::wire::{Seen, Wire, modern_meta};
use crate::{
    CallToolResult, ContentBlock, Context, CreateMessage, IncludeContext, NoArguments,
    ResourceLink, SamplingContent, SealingKeys, Server, Tool, ToolChoice, ToolError,
};

const KEYS: &str = "test:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// Asks everything that can be asked without tools.
async fn plain(_: NoArguments, context: Context) -> Result<String, ToolError> {
    let request = CreateMessage::new(100)
        .user("What is on this?")
        .user(ContentBlock::image(b"png", "image/png"))
        .assistant("It shows")
        .system_prompt("Be brief.")
        .temperature(0.5)
        .stop_sequence("\n")
        .stop_sequence("END")
        .model_hint("sonnet")
        .model_hint("claude")
        .cost_priority(-1.0)
        .speed_priority(0.25)
        .intelligence_priority(7.0)
        .intelligence_priority(1.5)
        .include_context(IncludeContext::None)
        .metadata("example.com/k", json!([1]));
    let answer = context.sample("picture", request).await?;
    let kinds = answer.content.iter().map(|block| match block {
        SamplingContent::Text { .. } => "text".to_owned(),
        SamplingContent::Image { data, mime_type } => format!("{mime_type}:{}", data.len()),
        SamplingContent::Audio { data, mime_type } => format!("{mime_type}:{}", data.len()),
        SamplingContent::ToolUse(tool_use) => tool_use.name.clone(),
        SamplingContent::Other(block) => block["type"].to_string(),
    });
    let kinds = kinds.collect::<Vec<_>>().join(",");
    let reason = answer.stop_reason.as_deref().unwrap_or("-");
    Ok(format!("{}|{}|{reason}|{kinds}", answer.text(), answer.model))
}

fn with_weather() -> CreateMessage {
    let schema = json!({ "type": "object", "properties": { "city": { "type": "string" } } });
    CreateMessage::new(50)
        .user("Where does it rain?")
        .tool("weather", "Tells it.", schema)
        .temperature(f64::INFINITY)
        .cost_priority(f64::NAN)
}

/// Runs the tools that the model wants, until it wants none.
async fn tools(_: NoArguments, context: Context) -> Result<String, ToolError> {
    let mut request = with_weather();
    for round in 0..3 {
        let answer = context.sample(format!("round_{round}"), &request).await?;
        if answer.tool_uses().next().is_none() {
            return Ok(answer.text());
        }
        let results = answer.tool_uses().map(|tool_use| {
            let result = CallToolResult::new().block("Rain.").meta("k", 1);
            let result = match tool_use.input.get("city") {
                Some(city) => result.structured(city).unwrap(),
                None => result.error(),
            };
            (tool_use.id.clone(), result)
        });
        request = request.tool_use(&answer).tool_results(results);
        request = request.tool_choice(ToolChoice::None);
    }
    Err(ToolError::new("too many rounds"))
}

async fn everywhere(_: NoArguments, context: Context) -> Result<String, ToolError> {
    let request = CreateMessage::new(1).user("?").include_context(IncludeContext::AllServers);
    Ok(context.sample("everywhere", request).await?.text())
}

/// Asks what no client can make sense of.
async fn wrong(args: Wrong, context: Context) -> Result<String, ToolError> {
    let answer = serde_json::from_value(json!({
        "role": "assistant",
        "model": "m",
        "content": { "type": "tool_use", "id": "a", "name": "weather", "input": {} },
    }));
    let used = || with_weather().tool_use(answer.as_ref().unwrap());
    let result = |id: &str| (id.to_owned(), CallToolResult::new());
    let link = ContentBlock::resource_link(ResourceLink::new("file:///a", "a"));
    let request = match args {
        Wrong::NoResult => used(),
        Wrong::NoResultYet => used().user("And?").tool_results([result("a")]),
        Wrong::FewResults => used().tool_results([]).user("And?"),
        Wrong::OtherResult => used().tool_results([result("a"), result("b")]),
        Wrong::TwoResults => used().tool_results([result("a"), result("a")]),
        Wrong::NoUse => with_weather().tool_results([result("a")]),
        Wrong::Resource => with_weather().user(link),
        Wrong::Schema => CreateMessage::new(1).user("?").tool("odd", "Odd.", json!(true)),
    };
    Ok(context.sample("wrong", request).await?.text())
}

#[derive(Debug, serde::Deserialize, schemars::JsonSchema)]
#[serde(tag = "what", rename_all = "camelCase")]
enum Wrong {
    NoResult,
    NoResultYet,
    FewResults,
    OtherResult,
    TwoResults,
    NoUse,
    Resource,
    Schema,
}

fn server() -> Server {
    Server::new("sampling", "1")
        .sealing_keys(|| SealingKeys::parse(KEYS))
        .tool(Tool::with_context("plain", plain).description("x"))
        .tool(Tool::with_context("tools", tools).description("x"))
        .tool(Tool::with_context("everywhere", everywhere).description("x"))
        .tool(Tool::with_context("wrong", wrong).description("x"))
}

/// A call by a client whose model can do `sampling`, with what it has brought along.
fn call(tool: &str, arguments: &Value, sampling: &Value, retry: &Value) -> Seen {
    let mut meta = modern_meta();
    meta["io.modelcontextprotocol/clientCapabilities"] = json!({ "sampling": sampling });
    let mut params = json!({ "name": tool, "arguments": arguments, "_meta": meta });
    for member in ["inputResponses", "requestState"] {
        if !retry[member].is_null() {
            params[member] = retry[member].clone();
        }
    }
    Wire::modern("tools/call", params).run(&server())
}

/// The result of a call by a client whose model can do everything.
fn called(tool: &str, retry: &Value) -> Value {
    let everything = json!({ "tools": {}, "context": {} });
    call(tool, &json!({}), &everything, retry).json()["result"].take()
}

/// The round after a result: the answer to a question of it.
fn retry(result: &Value, key: &str, answer: &Value) -> Value {
    json!({ "inputResponses": { key: answer }, "requestState": result["requestState"] })
}

fn says(content: Value) -> Value {
    json!({ "role": "assistant", "model": "m-1", "stopReason": "endTurn", "content": content })
}

fn text(text: &str) -> Value {
    json!({ "type": "text", "text": text })
}

#[test]
fn i2_the_first_round_asks_the_model_and_the_second_has_its_answer() {
    let asked = called("plain", &json!({}));
    assert_eq!(asked["resultType"], "input_required");
    let expected = json!({ "picture": { "method": "sampling/createMessage", "params": {
        "messages": [
            { "role": "user", "content": text("What is on this?") },
            { "role": "user", "content":
                { "type": "image", "data": "cG5n", "mimeType": "image/png" } },
            { "role": "assistant", "content": text("It shows") },
        ],
        "maxTokens": 100,
        "modelPreferences": {
            "hints": [{ "name": "sonnet" }, { "name": "claude" }],
            "costPriority": 0.0,
            "speedPriority": 0.25,
            "intelligencePriority": 1.0,
        },
        "systemPrompt": "Be brief.",
        "temperature": 0.5,
        "includeContext": "none",
        "stopSequences": ["\n", "END"],
        "metadata": { "example.com/k": [1] },
    } } });
    assert_eq!(asked["inputRequests"], expected);
    let answer = says(text(" a midge."));
    let result = called("plain", &retry(&asked, "picture", &answer));
    assert_eq!(result["content"][0]["text"], " a midge.|m-1|endTurn|text");
}

#[test]
fn i4_an_answer_has_one_block_or_many_and_kinds_that_are_not_known() {
    let asked = called("plain", &json!({}));
    let answer = json!({ "role": "assistant", "model": "m", "new": {}, "content": [
        { "type": "text", "text": "a", "annotations": {}, "_meta": {} },
        { "type": "image", "data": "cG5n", "mimeType": "image/png" },
        { "type": "hologram", "data": 1 },
        { "type": "audio", "data": "", "mimeType": "audio/wav" },
        { "type": "tool_use", "id": "1", "name": "unoffered", "input": {} },
        text("b"),
    ] });
    let result = called("plain", &retry(&asked, "picture", &answer));
    let expected = "ab|m|-|text,image/png:3,\"hologram\",audio/wav:0,unoffered,text";
    assert_eq!(result["content"][0]["text"], expected);
    let empty = called("plain", &retry(&asked, "picture", &says(json!([]))));
    assert_eq!(empty["content"][0]["text"], "|m-1|endTurn|");
}

#[test]
fn i5_what_is_no_message_is_asked_for_again() {
    let asked = called("plain", &json!({}));
    let tool_use = json!({ "type": "tool_use", "id": "1", "name": "n", "input": {} });
    let unfit = [
        json!({}),
        json!({ "action": "accept", "content": {} }),
        json!({ "role": "assistant", "content": text("a") }),
        json!({ "role": "narrator", "model": "m", "content": text("a") }),
        says(Value::Null),
        says(json!("a")),
        says(json!({ "text": "a" })),
        says(json!({ "type": "text" })),
        says(json!([text("a"), 1])),
        says(json!({ "type": "image", "data": "*", "mimeType": "image/png" })),
        says(json!({ "type": "audio", "data": "" })),
        says(json!({ "type": "tool_use", "id": "1", "name": "n", "input": [] })),
        says(json!([tool_use, tool_use])),
    ];
    for answer in unfit {
        let again = called("plain", &retry(&asked, "picture", &answer));
        assert_eq!(again["resultType"], "input_required", "{answer}");
        assert_eq!(again["inputRequests"], asked["inputRequests"], "{answer}");
    }
}

#[test]
fn i9_a_loop_of_tools_goes_on_over_the_rounds() {
    let first = called("tools", &json!({}));
    let question = &first["inputRequests"]["round_0"]["params"];
    assert_eq!(question["tools"][0]["name"], "weather");
    assert_eq!(question["tools"][0]["inputSchema"]["type"], "object");
    assert_eq!(question.get("toolChoice"), None);
    assert_eq!(question.get("temperature"), None, "an infinite one is none");
    assert_eq!(question["modelPreferences"], json!({}), "neither is a priority that is no number");
    let uses = json!([
        text("Let me see."),
        { "type": "tool_use", "id": "a", "name": "weather", "input": { "city": "Oslo" },
          "_meta": { "cache": true } },
        { "type": "tool_use", "id": "b", "name": "weather", "input": {} },
    ]);
    let second = called("tools", &retry(&first, "round_0", &says(uses.clone())));
    let question = &second["inputRequests"]["round_1"]["params"];
    assert_eq!(question["toolChoice"], json!({ "mode": "none" }));
    let rain = json!([text("Rain.")]);
    let expected = json!([
        { "role": "user", "content": text("Where does it rain?") },
        { "role": "assistant", "content": uses },
        { "role": "user", "content": [
            { "type": "tool_result", "toolUseId": "a", "content": rain,
              "structuredContent": "Oslo", "_meta": { "k": 1 } },
            { "type": "tool_result", "toolUseId": "b", "content": rain, "isError": true,
              "_meta": { "k": 1 } },
        ] },
    ]);
    assert_eq!(question["messages"], expected);
    assert_ne!(first["requestState"], second["requestState"]);
    let result = called("tools", &retry(&second, "round_1", &says(text("In Oslo."))));
    assert_eq!(result["resultType"], "complete");
    assert_eq!(result["content"][0]["text"], "In Oslo.");
}

#[test]
fn i3_what_the_client_lacks_is_told() {
    let lacks = |tool, sampling| {
        let seen = call(tool, &json!({}), &sampling, &json!({}));
        let error = seen.json()["error"].take();
        (seen.status, error["code"].clone(), error["data"]["requiredCapabilities"].clone())
    };
    let told = |missing| (400, json!(-32021), missing);
    assert_eq!(lacks("plain", Value::Null), told(json!({ "sampling": {} })));
    for some in [json!({}), json!({ "context": {} })] {
        assert_eq!(lacks("tools", some), told(json!({ "sampling": { "tools": {} } })));
    }
    for some in [json!({}), json!({ "tools": {} })] {
        assert_eq!(lacks("everywhere", some), told(json!({ "sampling": { "context": {} } })));
    }
    let (status, ..) = lacks("plain", json!({}));
    assert_eq!(status, 200, "no context and no tools need neither");
}

#[test]
fn i3_a_legacy_client_is_told_at_once() {
    let message = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": { "name": "plain" } });
    let seen =
        Wire::post(message.to_string()).header("mcp-protocol-version", "2025-11-25").run(&server());
    let result = &seen.json()["result"];
    assert_eq!(result["isError"], true);
    let text = result["content"][0]["text"].as_str().unwrap();
    assert!(text.contains("only with protocol 2026-07-28"), "{text}");
}

/// Rules of the conversation, which the server breaks: its log knows, the client does not.
#[test]
fn i2_a_question_that_no_client_can_make_sense_of_is_the_servers_fault() {
    let no_result = "the tool use `a` has no result in the message after it";
    let cases = [
        ("noResult", no_result),
        ("noResultYet", no_result),
        ("fewResults", no_result),
        ("otherResult", "the tool result `b` is not for a tool use in the message before it"),
        ("twoResults", "the tool use `a` has two results"),
        ("noUse", "the tool result `a` is not for a tool use in the message before it"),
        ("resource", "a message to a model is text, an image or audio, and no resource"),
        ("schema", "the input schema of the tool `odd` is not of the type `object`"),
    ];
    for (what, cause) in cases {
        let seen = call("wrong", &json!({ "what": what }), &json!({ "tools": {} }), &json!({}));
        assert_eq!(seen.json()["error"]["code"], -32603, "{what}: {}", seen.body);
        assert!(!seen.body.contains(cause));
        let log = seen.log.borrow().join("\n");
        assert!(log.contains(&format!("internal error: {cause}")), "{what}: {log}");
    }
}
