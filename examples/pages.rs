//! Lists that are cut into pages, and how long clients may keep them.

use std::time::Duration;

use midge::{Cache, List, NoArguments, Resource, Server, Tool};

const CHAPTERS: [&str; 12] = [
    "The egg",
    "The larva",
    "The first skin",
    "Mud",
    "The second skin",
    "Algae",
    "Winter",
    "The pupa",
    "Rising",
    "Wings",
    "The swarm",
    "Evening",
];

async fn count(_: NoArguments) -> String {
    format!("The book has {} chapters.", CHAPTERS.len())
}

fn server() -> Server {
    let server = Server::new("book", env!("CARGO_PKG_VERSION"))
        .page_size(5)
        .cache(Cache::public(Duration::from_secs(3600)))
        .list_cache(List::Tools, Cache::private(Duration::from_secs(60)))
        .tool(Tool::new("count", count).description("Counts the chapters of the book."));
    CHAPTERS.iter().enumerate().fold(server, |server, (number, title)| {
        let uri = format!("book://chapters/{number}");
        let name = format!("chapter {number}");
        server.resource(Resource::text(uri, name, title).title(*title).mime_type("text/plain"))
    })
}

midge::export!(server);
