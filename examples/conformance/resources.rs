//! Fixed resources and a template.

use midge::{Resource, ResourceContents, Server};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use crate::content::{PNG, bytes};

const TEXT: &str = "This is the content of the static text resource.";

async fn binary() -> Vec<u8> {
    bytes(PNG)
}

#[derive(Deserialize, JsonSchema)]
struct Record {
    id: String,
}

async fn record(Record { id }: Record) -> ResourceContents {
    let data = json!({ "id": id, "templateTest": true, "data": format!("Data for ID: {id}") });
    ResourceContents::text(format!("test://template/{id}/data"), data.to_string())
}

pub(crate) fn resources(server: Server) -> Server {
    server
        .resource(
            Resource::text("test://static-text", "static-text", TEXT)
                .description("A fixed text.")
                .mime_type("text/plain"),
        )
        .resource(
            Resource::new("test://static-binary", "static-binary", binary)
                .description("A picture of one pixel.")
                .mime_type("image/png"),
        )
        .resource(
            Resource::text("test://watched-resource", "watched-resource", "Watch me.")
                .description("A text that a client might watch.")
                .mime_type("text/plain"),
        )
        .resource(
            Resource::template("test://template/{id}/data", "record", record)
                .description("A record by its id.")
                .mime_type("application/json"),
        )
}
