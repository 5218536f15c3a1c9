//! An MCP server.

use midge::{Server, Tool, ToolError};

#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Greet {
    /// Who to greet.
    name: String,
}

async fn greet(args: Greet) -> Result<String, ToolError> {
    if args.name.trim().is_empty() {
        return Err(ToolError::new("`name` is empty: say who to greet"));
    }
    Ok(format!("Hello, {}!", args.name))
}

fn server() -> Server {
    Server::new(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"))
        .tool(Tool::new("greet", greet).description("Greets someone by name."))
}

midge::export!(server);

#[cfg(test)]
mod tests {
    use midge::testing;
    use serde_json::{Value, json};

    use super::server;

    fn greet(name: &str) -> Value {
        let call = testing::call("greet", json!({ "name": name }));
        let response = testing::exchange(server(), call);
        serde_json::from_slice::<Value>(response.body()).unwrap()["result"].take()
    }

    #[test]
    fn greets_by_name() {
        assert_eq!(greet("World")["content"][0]["text"], "Hello, World!");
    }

    #[test]
    fn the_model_is_told_that_nobody_is_not_greeted() {
        assert_eq!(greet(" ")["isError"], true);
    }
}
