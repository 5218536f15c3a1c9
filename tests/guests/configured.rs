//! Takes its keys and its origins from the host, and counts in a store of the host.
#![cfg(target_family = "wasm")]

use midge::keyvalue::Bucket;
use midge::{
    Configuration, Context, Environment, Json, NoArguments, Sealed, Server, Tool, ToolError,
    WasiConfig,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Deserialize, Serialize, JsonSchema)]
struct Secret {
    word: String,
}

#[derive(Deserialize, Serialize, JsonSchema)]
struct Hidden {
    handle: Sealed<Secret>,
}

async fn hide(secret: Secret, context: Context) -> Result<Json<Hidden>, ToolError> {
    Ok(Json(Hidden { handle: context.seal(&secret)? }))
}

async fn show(hidden: Hidden, context: Context) -> Result<String, ToolError> {
    Ok(hidden.handle.open(&context)?.word)
}

#[derive(Deserialize, JsonSchema)]
struct Name {
    name: String,
}

async fn value(args: Name) -> Result<String, ToolError> {
    let value = WasiConfig.get(&args.name).map_err(ToolError::internal)?;
    value.ok_or_else(|| ToolError::new("nothing of that name"))
}

async fn count(args: Name) -> Result<String, ToolError> {
    Ok(Bucket::open("default")?.increment(&args.name, 1)?.to_string())
}

/// Writes, and waits for a client that leaves.
async fn write_and_wait(_: NoArguments, context: Context) -> Result<String, ToolError> {
    let bucket = Bucket::open("default")?;
    bucket.set("before", b"1")?;
    context.progress(1.0).await;
    midge::sleep(std::time::Duration::from_secs(600)).await;
    bucket.set("after", b"1")?;
    Ok("done".to_owned())
}

#[derive(Serialize, JsonSchema)]
struct Keys {
    keys: Vec<String>,
}

async fn keys(_: NoArguments) -> Result<Json<Keys>, ToolError> {
    let mut keys = Bucket::open("default")?.keys()?;
    keys.sort();
    Ok(Json(Keys { keys }))
}

#[derive(Deserialize, JsonSchema)]
struct Fill {
    name: String,
    bytes: usize,
}

/// Hands on what a store says of a value that may be too large.
async fn fill(args: Fill) -> Result<String, ToolError> {
    let set = Bucket::open("default")?.set(&args.name, &vec![0; args.bytes]);
    set.map_err(|error| ToolError::new(error.to_string()))?;
    Ok("done".to_owned())
}

async fn open(args: Name) -> Result<String, ToolError> {
    match Bucket::open(&args.name) {
        Ok(_) => Ok("open".to_owned()),
        Err(error) => Err(ToolError::new(error.to_string())),
    }
}

fn server() -> Server {
    Server::new("configured", "1.0.0")
        .configure((WasiConfig, Environment))
        .tool(Tool::with_context("hide", hide).description("Seals a word."))
        .tool(Tool::with_context("show", show).description("Opens it."))
        .tool(Tool::new("value", value).description("Shows a value."))
        .tool(Tool::new("count", count).description("Counts."))
        .tool(Tool::with_context("write_and_wait", write_and_wait).description("Writes and waits."))
        .tool(Tool::new("keys", keys).description("Lists keys."))
        .tool(Tool::new("fill", fill).description("Writes many bytes."))
        .tool(Tool::new("open", open).description("Opens a store."))
}

midge::export!(server);
