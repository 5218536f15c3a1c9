//! The server that the official conformance suite expects: one tool, prompt or resource for each of
//! its scenarios, through nothing but the public API.

mod content;
mod forms;
mod prompts;
mod resources;
mod rounds;
mod schemas;
mod talking;

use midge::Server;

fn server() -> Server {
    let server = Server::new("midge-conformance", env!("CARGO_PKG_VERSION"));
    let server = schemas::tools(rounds::tools(talking::tools(content::tools(server))));
    resources::resources(prompts::prompts(server))
}

midge::export!(server);
