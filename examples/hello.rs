//! The smallest server: one tool.

#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Greet {
    /// Who to greet.
    name: String,
}

async fn greet(args: Greet) -> Result<String, midge::ToolError> {
    Ok(format!("Hello, {}!", args.name))
}

fn server() -> midge::Server {
    midge::Server::new("hello", env!("CARGO_PKG_VERSION"))
        .tool(midge::Tool::new("greet", greet).description("Greets someone by name."))
}

midge::export!(server);
