//! Prompts of each kind of content, with arguments, completion and a question.

use midge::{
    CompletionRequest, ContentBlock, Context, NoArguments, Prompt, PromptMessage, RequestError,
    ResourceContents, Server,
};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::content::{PNG, bytes};

async fn simple(_: NoArguments) -> &'static str {
    "This is a simple prompt for testing."
}

#[derive(Deserialize, JsonSchema)]
struct TwoArguments {
    /// The first one.
    arg1: String,
    /// The second one.
    arg2: String,
}

async fn with_arguments(args: TwoArguments) -> String {
    format!("Prompt with arguments: arg1='{}', arg2='{}'", args.arg1, args.arg2)
}

async fn complete_arg1(request: CompletionRequest) -> Vec<String> {
    let values = ["testing", "testValue1", "paris", "party"];
    values
        .into_iter()
        .filter(|value| value.starts_with(&request.value))
        .map(str::to_owned)
        .collect()
}

#[derive(Deserialize, JsonSchema)]
struct Embed {
    /// The URI under which the resource is embedded.
    #[serde(rename = "resourceUri")]
    resource_uri: String,
}

async fn with_embedded_resource(args: Embed) -> Vec<PromptMessage> {
    let text = "Embedded resource content for testing.";
    let resource = ResourceContents::text(args.resource_uri, text).mime_type("text/plain");
    vec![
        PromptMessage::user(ContentBlock::resource(resource)),
        PromptMessage::user("Please process the embedded resource above."),
    ]
}

async fn with_image(_: NoArguments) -> Vec<PromptMessage> {
    vec![
        PromptMessage::user(ContentBlock::image(bytes(PNG), "image/png")),
        PromptMessage::user("Please analyze the image above."),
    ]
}

#[derive(Deserialize, JsonSchema)]
struct UserContext {
    /// What the prompt should know.
    context: String,
}

async fn with_question(_: NoArguments, context: Context) -> Result<String, RequestError> {
    let question = "What context should the prompt use?";
    let UserContext { context } = context.elicit("user_context", question).await?;
    Ok(format!("Prompt with context: {context}"))
}

pub(crate) fn prompts(server: Server) -> Server {
    server
        .prompt(Prompt::new("test_simple_prompt", simple).description("Takes nothing."))
        .prompt(
            Prompt::new("test_prompt_with_arguments", with_arguments)
                .description("Takes two arguments.")
                .complete("arg1", complete_arg1),
        )
        .prompt(
            Prompt::new("test_prompt_with_embedded_resource", with_embedded_resource)
                .description("Embeds a resource."),
        )
        .prompt(Prompt::new("test_prompt_with_image", with_image).description("Shows a picture."))
        .prompt(
            Prompt::with_context("test_input_required_result_prompt", with_question)
                .description("Asks the user first."),
        )
}
