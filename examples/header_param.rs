//! Arguments that clients repeat in HTTP headers, where a gateway can route by them.

use midge::{Context, Server, Tool, ToolError};
use schemars::JsonSchema;
use serde::Deserialize;

#[derive(Deserialize, JsonSchema)]
struct Query {
    /// Where the data is: `eu` or `us`.
    #[schemars(extend("x-mcp-header" = "Region"))]
    region: String,
    /// What to look for.
    text: String,
    /// How to look.
    #[serde(default)]
    options: Options,
}

#[derive(Default, Deserialize, JsonSchema)]
#[schemars(inline)]
struct Options {
    /// Whether to wait for the data of the last second.
    #[serde(default)]
    #[schemars(extend("x-mcp-header" = "Fresh"))]
    fresh: bool,
}

/// When this runs, `Mcp-Param-Region` and `Mcp-Param-Fresh` are known to say what the arguments
/// say: whoever routed by the headers has routed by the arguments.
async fn search(args: Query, context: Context) -> Result<String, ToolError> {
    if !matches!(args.region.as_str(), "eu" | "us") {
        return Err(ToolError::new("`region` must be `eu` or `us`"));
    }
    let gateway = context.header("via").unwrap_or("no gateway");
    let age = if args.options.fresh { "fresh" } else { "cached" };
    Ok(format!("Nothing {age} about `{}` in {}, by {gateway}.", args.text, args.region))
}

fn server() -> Server {
    Server::new("search", env!("CARGO_PKG_VERSION")).tool(
        Tool::with_context("search", search)
            .description("Searches the data of a region.")
            .header_params(),
    )
}

midge::export!(server);
