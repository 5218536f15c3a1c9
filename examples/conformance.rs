//! The server that the official conformance suite expects, as far as tools go: one tool for each
//! of its scenarios, through nothing but the public API.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use midge::{
    CallToolResult, ClientCapabilities, ContentBlock, Context, LoggingLevel, NoArguments,
    ResourceContents, Server, Tool, ToolError,
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// A picture of one pixel.
const PNG: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==";
/// Silence.
const WAV: &str = "UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAAB9AAACABAAZGF0YQIAAAA=";

fn bytes(base64: &str) -> Result<Vec<u8>, ToolError> {
    STANDARD.decode(base64).map_err(ToolError::internal)
}

fn image() -> Result<ContentBlock, ToolError> {
    Ok(ContentBlock::image(bytes(PNG)?, "image/png"))
}

fn embedded(uri: &str, mime_type: &str, text: &str) -> ContentBlock {
    ContentBlock::resource(ResourceContents::text(uri, text).mime_type(mime_type))
}

async fn simple_text(_: NoArguments) -> &'static str {
    "This is a simple text response for testing."
}

async fn image_content(_: NoArguments) -> Result<ContentBlock, ToolError> {
    image()
}

async fn audio_content(_: NoArguments) -> Result<ContentBlock, ToolError> {
    Ok(ContentBlock::audio(bytes(WAV)?, "audio/wav"))
}

async fn embedded_resource(_: NoArguments) -> ContentBlock {
    embedded("test://embedded-resource", "text/plain", "This is an embedded resource content.")
}

async fn multiple_content_types(_: NoArguments) -> Result<CallToolResult, ToolError> {
    let data = r#"{"test":"data","value":123}"#;
    Ok(CallToolResult::new().block("Multiple content types test:").block(image()?).block(embedded(
        "test://mixed-content-resource",
        "application/json",
        data,
    )))
}

async fn error_handling(_: NoArguments) -> Result<(), ToolError> {
    Err(ToolError::new("This tool intentionally returns an error for testing"))
}

async fn pause() {
    wstd::task::sleep(Duration::from_millis(50).into()).await;
}

async fn with_progress(_: NoArguments, context: Context) -> &'static str {
    for percent in [0, 50, 100] {
        let message = format!("Completed step {percent} of 100");
        context.progress(f64::from(percent)).total(100.0).message(message).await;
        pause().await;
    }
    "Tool with progress executed successfully"
}

async fn with_logging(_: NoArguments, context: Context) -> &'static str {
    for message in ["Tool execution started", "Tool processing data", "Tool execution completed"] {
        context.log(LoggingLevel::Info, message).await;
        pause().await;
    }
    "Tool with logging executed successfully"
}

async fn logging(_: NoArguments, context: Context) -> &'static str {
    context.log(LoggingLevel::Info, "Evaluating logging").await;
    "Logging evaluated"
}

async fn any(_: Map<String, Value>) -> &'static str {
    "The arguments were taken."
}

fn json_schema_2020_12() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "$defs": { "address": {
            "$anchor": "addressDef",
            "type": "object",
            "properties": { "street": { "type": "string" }, "city": { "type": "string" } },
        } },
        "properties": {
            "name": { "type": "string" },
            "address": { "$ref": "#/$defs/address" },
            "contactMethod": { "type": "string", "enum": ["phone", "email"] },
            "phone": { "type": "string" },
            "email": { "type": "string" },
        },
        "allOf": [{ "anyOf": [{ "required": ["phone"] }, { "required": ["email"] }] }],
        "if": {
            "properties": { "contactMethod": { "const": "phone" } },
            "required": ["contactMethod"],
        },
        "then": { "required": ["phone"] },
        "else": { "required": ["email"] },
        "additionalProperties": false,
    })
}

#[derive(Deserialize, JsonSchema)]
struct Region {
    /// Where to look.
    #[serde(default)]
    region: String,
}

async fn x_mcp_header(args: Region) -> String {
    format!("Region: {}", args.region)
}

#[derive(Deserialize, JsonSchema)]
struct Prompt {
    /// What to ask the client's model.
    #[serde(rename = "prompt")]
    _prompt: String,
}

#[derive(Deserialize, JsonSchema)]
struct Message {
    /// What to ask the user.
    #[serde(rename = "message")]
    _message: String,
}

/// What needs the client's input says so at once to clients that cannot give it.
fn needs(name: &'static str, capabilities: ClientCapabilities, tool: Tool) -> Tool {
    tool.description(format!("Needs the client: {name}.")).requires(capabilities)
}

fn elicitation() -> ClientCapabilities {
    ClientCapabilities::none().with_elicitation()
}

fn sampling() -> ClientCapabilities {
    ClientCapabilities::none().with_sampling()
}

fn content_tools(server: Server) -> Server {
    server
        .tool(Tool::new("test_simple_text", simple_text).description("Answers with text."))
        .tool(Tool::new("test_image_content", image_content).description("Answers with a picture."))
        .tool(Tool::new("test_audio_content", audio_content).description("Answers with a sound."))
        .tool(
            Tool::new("test_embedded_resource", embedded_resource)
                .description("Answers with a resource."),
        )
        .tool(
            Tool::new("test_multiple_content_types", multiple_content_types)
                .description("Answers with text, a picture and a resource."),
        )
        .tool(Tool::new("test_error_handling", error_handling).description("Always fails."))
}

fn talking_tools(server: Server) -> Server {
    server
        .tool(
            Tool::with_context("test_tool_with_progress", with_progress)
                .description("Reports progress."),
        )
        .tool(
            Tool::with_context("test_tool_with_logging", with_logging)
                .description("Logs three messages."),
        )
        .tool(
            Tool::with_context("test_logging_tool", logging)
                .description("Logs where the client asks for it."),
        )
        .tool(
            Tool::with_context("test_streaming_elicitation", with_progress)
                .description("Answers by a stream of notifications only."),
        )
}

fn client_tools(server: Server) -> Server {
    let success = async |_: NoArguments| "Success";
    let prompt = async |_: Prompt| "Success";
    let message = async |_: Message| "Success";
    server
        .tool(needs("sampling", sampling(), Tool::new("test_missing_capability", success)))
        .tool(needs("sampling", sampling(), Tool::new("test_sampling", prompt)))
        .tool(needs("elicitation", elicitation(), Tool::new("test_elicitation", message)))
        .tool(needs(
            "elicitation with defaults",
            elicitation(),
            Tool::new("test_elicitation_sep1034_defaults", success),
        ))
        .tool(needs(
            "elicitation with choices",
            elicitation(),
            Tool::new("test_elicitation_sep1330_enums", success),
        ))
}

fn schema_tools(server: Server) -> Server {
    server
        .tool(
            Tool::new("json_schema_2020_12_tool", any)
                .description("Publishes a schema of its own.")
                .input_schema(json_schema_2020_12),
        )
        .tool(
            Tool::new("test_x_mcp_header", x_mcp_header)
                .description("Has an argument that is repeated in a header.")
                .header_param("region", "Region"),
        )
}

fn server() -> Server {
    let server = Server::new("midge-conformance", env!("CARGO_PKG_VERSION"));
    schema_tools(client_tools(talking_tools(content_tools(server))))
}

midge::export!(server);
