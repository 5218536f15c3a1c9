//! The tools that the benchmark's components have in common; the components are the examples of
//! this package.

use midge::{Server, Tool, ToolError};

/// The argument of every tool here, as in the example `hello`.
#[derive(serde::Deserialize, schemars::JsonSchema)]
pub struct Greet {
    /// Who to greet.
    name: String,
}

async fn greet(args: Greet) -> Result<String, ToolError> {
    Ok(format!("Hello, {}!", args.name))
}

/// A server with the tool `greet`, and as many others as make `count`.
pub fn with_tools(count: usize) -> Server {
    let others = (1..count).map(|number| format!("greet_{number}"));
    std::iter::once("greet".to_owned())
        .chain(others)
        .fold(Server::new("tools", env!("CARGO_PKG_VERSION")), |server, name| {
            server.tool(Tool::new(name, greet).description("Greets someone by name."))
        })
}
