//! What an exchange costs in the SDK alone: native, without a host and without a socket.
//!
//! ```sh
//! cargo bench -p midge-bench
//! ```
#![allow(missing_docs, reason = "divan's macro makes items without")]

use divan::Bencher;
use midge::{Server, Tool, ToolError, testing};
use serde_json::json;

fn main() {
    divan::main();
}

#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Greet {
    /// Who to greet.
    name: String,
}

async fn greet(args: Greet) -> Result<String, ToolError> {
    Ok(format!("Hello, {}!", args.name))
}

fn server(tools: usize) -> Server {
    let others = (1..tools).map(|number| format!("greet_{number}"));
    std::iter::once("greet".to_owned())
        .chain(others)
        .map(|name| Tool::new(name, greet).description("Greets someone by name."))
        .fold(Server::new("bench", "1.0.0"), Server::tool)
}

/// Builds the server, as each exchange does.
#[divan::bench(args = [1, 20, 200])]
fn build(tools: usize) -> Server {
    server(tools)
}

/// Calls a tool of a server with so many.
#[divan::bench(args = [1, 20, 200])]
fn call(bencher: Bencher<'_, '_>, tools: usize) {
    let request = testing::call("greet", json!({ "name": "World" }));
    bencher
        .with_inputs(|| request.clone())
        .bench_values(|request| testing::exchange(server(tools), request));
}

/// Calls a tool with an argument of so many bytes.
#[divan::bench(args = [64, 64 << 10, 1 << 20])]
fn argument(bencher: Bencher<'_, '_>, bytes: usize) {
    let request = testing::call("greet", json!({ "name": "x".repeat(bytes) }));
    bencher
        .with_inputs(|| request.clone())
        .bench_values(|request| testing::exchange(server(1), request));
}

/// Lists so many tools.
#[divan::bench(args = [1, 20, 200])]
fn list(bencher: Bencher<'_, '_>, tools: usize) {
    let request = testing::request("tools/list", json!({}));
    bencher
        .with_inputs(|| request.clone())
        .bench_values(|request| testing::exchange(server(tools), request));
}
