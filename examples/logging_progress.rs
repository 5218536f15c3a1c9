//! Telling the client what is going on: progress for its user, log messages for who runs it, and
//! work that is left for after the answer.

use std::time::Duration;

use midge::{Context, LoggingLevel, Server, Tool};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

#[derive(Deserialize, JsonSchema)]
struct Import {
    /// How many records there are, from 1 to 100.
    #[schemars(range(min = 1, max = 100))]
    records: u32,
}

/// Runs after the answer, and also when the client has gone in the middle of it.
#[allow(clippy::print_stderr, reason = "hosts keep what guests print there")]
async fn note_the_end(context: Context) {
    let end = if context.is_cancelled() { "broken off" } else { "done" };
    eprintln!("import {}: {end}", context.request_id());
}

async fn import(args: Import, context: Context) -> String {
    context.defer(note_the_end(context.clone()));
    context.log(LoggingLevel::Info, "The import starts.").await;
    for record in 1..=args.records {
        midge::sleep(Duration::from_millis(20)).await;
        if record % 10 == 0 {
            context.log(LoggingLevel::Warning, json!({ "record": record, "is": "odd" })).await;
        }
        context
            .progress(f64::from(record))
            .total(f64::from(args.records))
            .message(format!("Record {record}"))
            .await;
    }
    format!("Imported {} records.", args.records)
}

fn server() -> Server {
    Server::new("import", env!("CARGO_PKG_VERSION")).exchange_timeout(Duration::from_secs(30)).tool(
        Tool::with_context("import", import)
            .description("Imports records.")
            .enforce_schema()
            // The answer starts at once, so that a client that leaves is noticed at once.
            .early_stream(),
    )
}

midge::export!(server);
