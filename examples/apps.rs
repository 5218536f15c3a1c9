//! A tool with a page beside its results (MCP Apps): a die that the user can throw again.

use midge::apps::{App, Visibility};
use midge::{Json, NoArguments, Server, Tool, ToolError};
use schemars::JsonSchema;
use serde::Serialize;

/// The page; a real one would be a file of its own, by `include_str!`. It throws again by an
/// ordinary call, which it asks its client to send.
const PAGE: &str = r#"<!doctype html>
<title>Die</title>
<button id="again">Throw again</button> <output id="points"></output>
<script>
  let id = 0;
  const send = (message) => parent.postMessage({ jsonrpc: "2.0", ...message }, "*");
  const request = (method, params) => send({ id: id++, method, params });
  onmessage = ({ data }) => {
    if (data.id === 0) send({ method: "ui/notifications/initialized", params: {} });
    const throws = data.params?.structuredContent ?? data.result?.structuredContent;
    if (throws) points.textContent = throws.points;
  };
  again.onclick = () => request("tools/call", { name: "throw_again", arguments: {} });
  request("ui/initialize", {
    appInfo: { name: "die", version: "1.0.0" },
    appCapabilities: {},
    protocolVersion: "2026-01-26",
  });
</script>"#;

#[derive(Serialize, JsonSchema)]
struct Throw {
    /// From 1 to 6.
    points: u32,
}

/// Clients without pages show the JSON text that [`Json`] brings along.
async fn throw(_: NoArguments) -> Result<Json<Throw>, ToolError> {
    let number = getrandom::u32().map_err(ToolError::internal)?;
    Ok(Json(Throw { points: number % 6 + 1 }))
}

fn server() -> Server {
    Server::new("die", env!("CARGO_PKG_VERSION"))
        .apps()
        .resource(App::new("ui://die/page", "die", PAGE).border(true))
        .tool(Tool::new("throw", throw).description("Throws a die.").ui("ui://die/page"))
        .tool(
            Tool::new("throw_again", throw)
                .description("Throws the die of the page.")
                .ui("ui://die/page")
                .ui_visibility(&[Visibility::App]),
        )
}

midge::export!(server);
