//! Tools that answer with each kind of content.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use midge::{CallToolResult, ContentBlock, NoArguments, ResourceContents, Server, Tool, ToolError};

/// A picture of one pixel.
pub(crate) const PNG: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==";
/// Silence.
const WAV: &str = "UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAAB9AAACABAAZGF0YQIAAAA=";

/// The bytes of one of the two.
pub(crate) fn bytes(base64: &str) -> Vec<u8> {
    STANDARD.decode(base64).unwrap_or_default()
}

fn image() -> ContentBlock {
    ContentBlock::image(bytes(PNG), "image/png")
}

fn embedded(uri: &str, mime_type: &str, text: &str) -> ContentBlock {
    ContentBlock::resource(ResourceContents::text(uri, text).mime_type(mime_type))
}

async fn simple_text(_: NoArguments) -> &'static str {
    "This is a simple text response for testing."
}

async fn image_content(_: NoArguments) -> ContentBlock {
    image()
}

async fn audio_content(_: NoArguments) -> ContentBlock {
    ContentBlock::audio(bytes(WAV), "audio/wav")
}

async fn embedded_resource(_: NoArguments) -> ContentBlock {
    embedded("test://embedded-resource", "text/plain", "This is an embedded resource content.")
}

async fn multiple_content_types(_: NoArguments) -> CallToolResult {
    let data = r#"{"test":"data","value":123}"#;
    CallToolResult::new().block("Multiple content types test:").block(image()).block(embedded(
        "test://mixed-content-resource",
        "application/json",
        data,
    ))
}

async fn error_handling(_: NoArguments) -> Result<(), ToolError> {
    Err(ToolError::new("This tool intentionally returns an error for testing"))
}

pub(crate) fn tools(server: Server) -> Server {
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
