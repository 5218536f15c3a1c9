//! A server with large answers, short streams and streams that stay open.

use std::time::Duration;

use midge::{Context, NoArguments, Server, Tool};

async fn blob(_: NoArguments) -> String {
    "x".repeat(1 << 20)
}

async fn steps(_: NoArguments, context: Context) -> &'static str {
    for step in 1..=10 {
        context.progress(f64::from(step)).total(10.0).message("Working").await;
    }
    "Done."
}

async fn hold(_: NoArguments, context: Context) -> &'static str {
    context.progress(0.0).message("Holding").await;
    midge::sleep(Duration::from_secs(3600)).await;
    "Done."
}

async fn variable(_: NoArguments) -> String {
    std::env::var("MIDGE_BENCH").unwrap_or("unset".to_owned())
}

fn server() -> Server {
    Server::new("work", env!("CARGO_PKG_VERSION"))
        .tool(Tool::new("variable", variable).description("Reads an environment variable."))
        .tool(Tool::new("blob", blob).description("Answers with 1 MiB of text."))
        .tool(Tool::with_context("steps", steps).description("Reports progress 10 times."))
        .tool(Tool::with_context("hold", hold).description("Reports progress and stays open."))
}

midge::export!(server);
