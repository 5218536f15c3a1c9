//! Tools that ask the client in between.

use futures_lite::future::zip;
use midge::{ClientCapabilities, Context, CreateMessage, NoArguments, Server, Tool, ToolError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::forms;

#[derive(Deserialize, JsonSchema)]
struct Name {
    /// Your name.
    name: String,
}

#[derive(Deserialize, JsonSchema)]
struct Color {
    /// Your favourite colour.
    color: String,
}

#[derive(Deserialize, JsonSchema)]
struct Confirm {
    /// Whether to go on.
    ok: bool,
}

async fn elicitation(_: NoArguments, context: Context) -> Result<String, ToolError> {
    let Name { name } = context.elicit("user_name", "What is your name?").await?;
    Ok(format!("Hello, {name}!"))
}

async fn sampling(_: NoArguments, context: Context) -> Result<String, ToolError> {
    let question = CreateMessage::new(100).user("What is the capital of France?");
    Ok(context.sample("capital_question", question).await?.text())
}

async fn roots(_: NoArguments, context: Context) -> Result<String, ToolError> {
    let roots = context.list_roots("client_roots").await?;
    let uris: Vec<String> = roots.into_iter().map(|root| root.uri).collect();
    Ok(format!("Roots: {}", uris.join(", ")))
}

/// What must be the same in both rounds.
async fn begin() -> Result<String, ToolError> {
    Ok("state-ok".to_owned())
}

async fn request_state(_: NoArguments, context: Context) -> Result<String, ToolError> {
    let state = context.step("begin", begin()).await?;
    let Confirm { ok } = context.elicit("confirm", "Please confirm").await?;
    Ok(format!("{state}, confirmed: {ok}"))
}

async fn multiple_inputs(_: NoArguments, context: Context) -> Result<String, ToolError> {
    let name = context.elicit::<Name>("user_name", "What is your name?");
    let greeting = CreateMessage::new(50).user("Generate a greeting");
    let greeting = context.sample("greeting", greeting);
    let roots = context.list_roots("client_roots");
    let ((name, greeting), roots) = zip(zip(name, greeting), roots).await;
    Ok(format!("{} {}, {} roots", greeting?.text(), name?.name, roots?.len()))
}

async fn multi_round(_: NoArguments, context: Context) -> Result<String, ToolError> {
    let Name { name } = context.elicit("step1", "Step 1: What is your name?").await?;
    let Color { color } = context.elicit("step2", "Step 2: What is your favorite color?").await?;
    Ok(format!("{name} likes {color}."))
}

async fn by_capabilities(_: NoArguments, context: Context) -> Result<String, ToolError> {
    let able = context.client_capabilities();
    let sampled = async {
        let sample = CreateMessage::new(50).user("Say something");
        match able.sampling {
            Some(_) => context.sample("sample_input", sample).await.map(|sample| sample.text()),
            None => Ok("nothing sampled".to_owned()),
        }
    };
    let elicited = async {
        match able.elicitation {
            Some(_) => context
                .elicit::<Confirm>("elicit_input", "Please confirm")
                .await
                .map(|answer| answer.ok.to_string()),
            None => Ok("nobody asked".to_owned()),
        }
    };
    let (sampled, elicited) = zip(sampled, elicited).await;
    Ok(format!("{}, {}", sampled?, elicited?))
}

#[derive(Deserialize, JsonSchema)]
struct Prompt {
    /// What to ask the client's model.
    prompt: String,
}

async fn sample_prompt(args: Prompt, context: Context) -> Result<String, ToolError> {
    let question = CreateMessage::new(100).user(args.prompt);
    Ok(format!("LLM response: {}", context.sample("prompt", question).await?.text()))
}

#[derive(Deserialize, JsonSchema)]
struct Message {
    /// What to ask the user.
    message: String,
}

/// What the user may say about it.
#[derive(Serialize, Deserialize, JsonSchema)]
struct Response {
    /// Anything.
    response: String,
}

async fn elicit_message(args: Message, context: Context) -> Result<String, ToolError> {
    let Response { response } = context.elicit("message", args.message).await?;
    Ok(format!("User response: action=accept, content={response}"))
}

/// The scenarios of the modern protocol.
fn modern(server: Server) -> Server {
    let tool = |name: &'static str| format!("Shows multi round-trip requests: {name}.");
    server
        .tool(
            Tool::with_context("test_input_required_result_elicitation", elicitation)
                .description(tool("a form")),
        )
        .tool(
            Tool::with_context("test_input_required_result_sampling", sampling)
                .description(tool("a question to the model")),
        )
        .tool(
            Tool::with_context("test_input_required_result_list_roots", roots)
                .description(tool("the client's folders")),
        )
        .tool(
            Tool::with_context("test_input_required_result_request_state", request_state)
                .description(tool("a state")),
        )
        .tool(
            Tool::with_context("test_input_required_result_multiple_inputs", multiple_inputs)
                .description(tool("three questions at once")),
        )
        .tool(
            Tool::with_context("test_input_required_result_multi_round", multi_round)
                .description(tool("three rounds")),
        )
        .tool(
            Tool::with_context("test_input_required_result_tampered_state", request_state)
                .description(tool("a state that may be tampered with")),
        )
        .tool(
            Tool::with_context("test_input_required_result_capabilities", by_capabilities)
                .description(tool("what the client can do")),
        )
}

/// The scenarios that legacy servers with sessions pass: here the client is told that it must
/// speak the modern protocol.
fn legacy(server: Server) -> Server {
    server
        .tool(
            Tool::with_context("test_sampling", sample_prompt)
                .description("Asks the client's model."),
        )
        .tool(Tool::with_context("test_elicitation", elicit_message).description("Asks the user."))
        .tool(
            Tool::with_context("test_elicitation_sep1034_defaults", forms::defaults)
                .description("Asks the user, with defaults."),
        )
        .tool(
            Tool::with_context("test_elicitation_sep1330_enums", forms::choices)
                .description("Asks the user, with choices."),
        )
}

pub(crate) fn tools(server: Server) -> Server {
    let success = async |_: NoArguments| "Success";
    let missing = Tool::new("test_missing_capability", success)
        .description("Needs a client that can sample.")
        .requires(ClientCapabilities::none().with_sampling());
    legacy(modern(server.tool(missing)))
}
