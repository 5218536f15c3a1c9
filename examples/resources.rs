//! What clients can read: fixed, computed, by template, binary, in several parts, and not there.

use std::time::Duration;

use midge::{Annotations, Cache, Context, RequestError, Resource, ResourceContents, Server};
use schemars::JsonSchema;
use serde::Deserialize;

const PIXEL: &[u8] = b"GIF89a\x01\0\x01\0\0\0\0,\0\0\0\0\x01\0\x01\0\0\x02\0;";

async fn caller(context: Context) -> String {
    let version = context.protocol_version();
    match context.client_info() {
        Some(client) => format!("{} {} speaks MCP {version}.", client.name, client.version),
        None => format!("Somebody speaks MCP {version}."),
    }
}

#[derive(Deserialize, JsonSchema)]
struct Poem {
    author: String,
    number: usize,
}

const BLAKE: [&str; 2] = ["Little fly, thy summer's play", "Am not I a fly like thee?"];

async fn poem(Poem { author, number }: Poem) -> Result<&'static str, RequestError> {
    match author.as_str() {
        "blake" => BLAKE.get(number).copied().ok_or(RequestError::NotFound),
        _ => Err(RequestError::NotFound),
    }
}

async fn report() -> Vec<ResourceContents> {
    vec![
        ResourceContents::text("library://report/summary", "Two poems, one picture.")
            .mime_type("text/plain"),
        ResourceContents::text("library://report/data", r#"{"poems":2,"pictures":1}"#)
            .mime_type("application/json"),
    ]
}

fn server() -> Server {
    let for_models = Annotations::new().for_assistant().priority(0.8);
    Server::new("library", env!("CARGO_PKG_VERSION"))
        .cache(Cache::public(Duration::from_secs(60)))
        .resource(
            Resource::text("library://readme", "readme", "Poems are by author and number.")
                .title("Read me")
                .description("How the library is ordered.")
                .mime_type("text/plain")
                .annotations(for_models),
        )
        .resource(Resource::bytes("library://pixel", "pixel", PIXEL).mime_type("image/gif"))
        .resource(
            Resource::with_context("library://caller", "caller", caller)
                .mime_type("text/plain")
                .cache(Cache::private(Duration::ZERO)),
        )
        .resource(
            Resource::template("library://poems/{author}/{number}", "poem", poem)
                .description("One poem, by its author and its number from 0.")
                .mime_type("text/plain"),
        )
        .resource(Resource::new("library://report", "report", report).unlisted())
}

midge::export!(server);
