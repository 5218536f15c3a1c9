//! Has what Spin gives a component of WASI 0.2 besides, by Spin's own crate.
#![cfg(target_family = "wasm")]

use midge::{Json, NoArguments, Server, Tool, ToolError};
use schemars::JsonSchema;
use serde::Serialize;
use spin_sdk_5::{
    key_value::Store,
    sqlite3::{Connection, Value},
    variables,
};

#[derive(Serialize, JsonSchema)]
struct Seen {
    rows: usize,
    before: bool,
    region: String,
}

async fn look(_: NoArguments) -> Result<Json<Seen>, ToolError> {
    let database = Connection::open_default().map_err(ToolError::internal)?;
    let query = "SELECT name FROM places WHERE height > ?";
    let found = database.execute(query, &[Value::Integer(1000)]).map_err(ToolError::internal)?;
    let store = Store::open_default().map_err(ToolError::internal)?;
    let before = store.exists("looked").map_err(ToolError::internal)?;
    store.set("looked", b"yes").map_err(ToolError::internal)?;
    let region = variables::get("region").map_err(ToolError::internal)?;
    Ok(Json(Seen { rows: found.rows.len(), before, region }))
}

fn server() -> Server {
    Server::new("on-spin", "1.0.0").tool(Tool::new("look", look).description("Looks around."))
}

midge::export!(server);
