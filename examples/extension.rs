//! An extension of the protocol: declared with settings, and used where the client declares it.

use midge::{CallToolResult, ClientCapabilities, Context, NoArguments, Server, Tool};
use serde_json::json;

const CHARTS: &str = "com.example/charts";

/// What the tool knows, in the way that this client can show.
async fn rainfall(_: NoArguments, context: Context) -> CallToolResult {
    let result = CallToolResult::new().block("Rain: Monday 3 mm, Tuesday 0 mm, Wednesday 7 mm.");
    match context.extension(CHARTS) {
        Some(settings) => {
            let kind = settings["kinds"][0].as_str().unwrap_or("bar").to_owned();
            result.meta(format!("{CHARTS}.data"), json!({ "kind": kind, "values": [3, 0, 7] }))
        }
        None => result,
    }
}

/// Useless without charts, so that other clients are told what they lack.
async fn animate(_: NoArguments) -> CallToolResult {
    let frames = json!([[3], [3, 0], [3, 0, 7]]);
    CallToolResult::new().block("Three frames.").meta(format!("{CHARTS}.frames"), frames)
}

fn server() -> Server {
    let mut charts = ClientCapabilities::none();
    charts.extensions.insert(CHARTS.to_owned(), json!({}));
    Server::new("weather", env!("CARGO_PKG_VERSION"))
        .extension(CHARTS, json!({ "kinds": ["bar", "line"] }))
        .tool(Tool::with_context("rainfall", rainfall).description("Tells how much it rained."))
        .tool(Tool::new("animate", animate).description("Shows the rain fall.").requires(charts))
}

midge::export!(server);
