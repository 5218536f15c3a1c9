//! Results for programs and for people: structured content, hints, icons, several blocks.

use midge::{
    CallToolResult, ContentBlock, Icon, Json, NoArguments, ResourceLink, Server, Tool,
    ToolAnnotations, ToolError,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Deserialize, JsonSchema)]
struct Weigh {
    /// What each parcel weighs, in grams.
    grams: Vec<u32>,
}

#[derive(Serialize, JsonSchema)]
struct Weights {
    /// All parcels together, in grams.
    total: u64,
    /// The heaviest parcel; none where there are no parcels.
    heaviest: Option<u32>,
}

async fn weigh(Weigh { grams }: Weigh) -> Json<Weights> {
    let total = grams.iter().copied().map(u64::from).sum();
    Json(Weights { total, heaviest: grams.into_iter().max() })
}

#[derive(Serialize)]
struct Label {
    code: &'static str,
}

/// A picture and a link for people, and for programs what is on it.
async fn label(_: NoArguments) -> Result<CallToolResult, ToolError> {
    let picture = "<svg xmlns='http://www.w3.org/2000/svg'><text y='20'>M-1</text></svg>";
    CallToolResult::new()
        .block(ContentBlock::text("The label says M-1.").for_assistant())
        .block(ContentBlock::image(picture, "image/svg+xml").for_user().priority(1.0))
        .block(ContentBlock::resource_link(ResourceLink::new("post://labels/1", "label 1")))
        .structured(&Label { code: "M-1" })
        .map_err(ToolError::internal)
}

fn server() -> Server {
    let harmless = || ToolAnnotations::new().read_only(true).open_world(false);
    Server::new("post", env!("CARGO_PKG_VERSION"))
        .title("Post office")
        .description("Weighs and labels parcels.")
        .website_url("https://post.example.com")
        .icon(Icon::new("https://post.example.com/horn.png").mime_type("image/png").size("48x48"))
        .tool(
            Tool::new("weigh", weigh)
                .title("Weigh parcels")
                .description("Adds up the weights of parcels.")
                .annotations(harmless()),
        )
        .tool(
            Tool::new("label", label)
                .description("Shows the label of the next parcel.")
                .annotations(harmless())
                .output_schema(|| {
                    serde_json::json!({
                        "type": "object",
                        "properties": { "code": { "type": "string" } },
                        "required": ["code"],
                    })
                }),
        )
}

midge::export!(server);
