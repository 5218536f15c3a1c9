//! Tools that report progress and log.

use std::time::Duration;

use midge::{Context, LoggingLevel, NoArguments, Server, Tool};

async fn pause() {
    midge::sleep(Duration::from_millis(50)).await;
}

async fn with_progress(_: NoArguments, context: Context) -> &'static str {
    for percent in [0, 50, 100] {
        let message = format!("Completed step {percent} of 100");
        context.progress(f64::from(percent)).total(100.0).message(message).await;
        pause().await;
    }
    "Tool with progress executed successfully"
}

async fn with_logging(_: NoArguments, context: Context) -> &'static str {
    for message in ["Tool execution started", "Tool processing data", "Tool execution completed"] {
        context.log(LoggingLevel::Info, message).await;
        pause().await;
    }
    "Tool with logging executed successfully"
}

async fn logging(_: NoArguments, context: Context) -> &'static str {
    context.log(LoggingLevel::Info, "Evaluating logging").await;
    "Logging evaluated"
}

pub(crate) fn tools(server: Server) -> Server {
    server
        .tool(
            Tool::with_context("test_tool_with_progress", with_progress)
                .description("Reports progress."),
        )
        .tool(
            Tool::with_context("test_tool_with_logging", with_logging)
                .description("Logs three messages."),
        )
        .tool(
            Tool::with_context("test_logging_tool", logging)
                .description("Logs where the client asks for it."),
        )
        .tool(
            Tool::with_context("test_streaming_elicitation", with_progress)
                .description("Answers by a stream of notifications only."),
        )
}
