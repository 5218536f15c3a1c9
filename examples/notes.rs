//! Notes that are kept in a key-value store of the host, each for the caller who wrote it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use midge::keyvalue::Bucket;
use midge::{Context, Json, Server, Tool, ToolError, WasiConfig};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What is stored under a handle.
#[derive(Deserialize, Serialize)]
struct Note {
    /// The caller who wrote it; anonymous callers share theirs.
    owner: Option<String>,
    text: String,
}

#[derive(Deserialize, JsonSchema)]
struct Write {
    /// What to remember.
    text: String,
}

/// The place of a note: random, so that it cannot be guessed.
#[derive(Deserialize, Serialize, JsonSchema)]
struct Handle {
    /// The note, exactly as `write_note` has returned it.
    note: String,
}

async fn write(args: Write, context: Context) -> Result<Json<Handle>, ToolError> {
    let mut random = [0; 18];
    getrandom::fill(&mut random).map_err(ToolError::internal)?;
    let note = URL_SAFE_NO_PAD.encode(random);
    store(&note, &Note { owner: context.principal(), text: args.text })?;
    Ok(Json(Handle { note }))
}

async fn read(args: Handle, context: Context) -> Result<String, ToolError> {
    Ok(find(&args.note, &context)?.text)
}

#[derive(Deserialize, JsonSchema)]
struct Append {
    /// The note, exactly as `write_note` has returned it.
    note: String,
    /// What to add at its end, as a line.
    text: String,
}

/// Of two that append at once the last one wins: what they have read is the same.
async fn append(args: Append, context: Context) -> Result<String, ToolError> {
    let mut note = find(&args.note, &context)?;
    note.text = format!("{}\n{}", note.text, args.text);
    store(&args.note, &note)?;
    Ok(note.text)
}

async fn delete(args: Handle, context: Context) -> Result<String, ToolError> {
    find(&args.note, &context)?;
    bucket()?.delete(&key(&args.note))?;
    Ok("Forgotten.".to_owned())
}

fn bucket() -> Result<Bucket, ToolError> {
    Ok(Bucket::open("default")?)
}

fn key(handle: &str) -> String {
    format!("note:{handle}")
}

fn store(handle: &str, note: &Note) -> Result<(), ToolError> {
    let json = serde_json::to_vec(note).map_err(ToolError::internal)?;
    Ok(bucket()?.set(&key(handle), &json)?)
}

/// A note of this caller. That there is one of somebody else is not told.
fn find(handle: &str, context: &Context) -> Result<Note, ToolError> {
    let unknown =
        || ToolError::new("You have no such note; `write_note` returns the handle of one");
    // No handle of ours is longer, and no store takes keys of any length.
    let value = if handle.len() > 24 { None } else { bucket()?.get(&key(handle))? };
    let note: Note =
        serde_json::from_slice(&value.ok_or_else(unknown)?).map_err(ToolError::internal)?;
    if note.owner == context.principal() { Ok(note) } else { Err(unknown()) }
}

fn server() -> Server {
    Server::new("notes", env!("CARGO_PKG_VERSION"))
        // The pages that may call it, `allowed_origins`, are for each deployment to say.
        .configure(WasiConfig)
        // Set by the gateway, which has checked a token, and stripped from what clients send.
        .principal(|headers| headers.get("x-verified-subject").map(str::to_owned))
        .tool(Tool::with_context("write_note", write).description("Writes a note."))
        .tool(Tool::with_context("read_note", read).description("Reads a note."))
        .tool(Tool::with_context("append_note", append).description("Adds a line to a note."))
        .tool(Tool::with_context("delete_note", delete).description("Forgets a note."))
}

midge::export!(server);
