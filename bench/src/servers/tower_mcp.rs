//! `tower-mcp`, with JSON answers, as it is by default.

use std::time::Duration;

use hyper_util::service::TowerToHyperService;
use tower_mcp::{
    CallToolResult, HttpTransport, McpRouter, NoParams, ToolBuilder,
    extract::{Context, RawArgs},
    tool::Tool,
};

use super::{GREETS, Greet, greeters};
use crate::workload::Tools;

pub(super) fn service(tools: Tools) -> TowerToHyperService<axum::Router> {
    let router = McpRouter::new().server_info("bench", env!("CARGO_PKG_VERSION"));
    let router = match tools {
        Tools::Greeters(count) => greeters(count).map(greeter).fold(router, McpRouter::tool),
        Tools::Work => {
            [variable(), blob(), steps(), hold()].into_iter().fold(router, McpRouter::tool)
        }
    };
    TowerToHyperService::new(HttpTransport::new(router).into_router_at("/mcp"))
}

fn greeter(name: String) -> Tool {
    ToolBuilder::new(name)
        .description(GREETS)
        .handler(|args: Greet| async move { Ok(CallToolResult::text(args.greeting())) })
        .build()
}

fn variable() -> Tool {
    ToolBuilder::new("variable")
        .description("Reads an environment variable.")
        .handler(|_: NoParams| async { Ok(CallToolResult::text(super::variable())) })
        .build()
}

fn blob() -> Tool {
    ToolBuilder::new("blob")
        .description("Answers with 1 MiB of text.")
        .handler(|_: NoParams| async { Ok(CallToolResult::text("x".repeat(1 << 20))) })
        .build()
}

fn steps() -> Tool {
    ToolBuilder::new("steps")
        .description("Reports progress 10 times.")
        .extractor_handler((), |context: Context, RawArgs(_): RawArgs| async move {
            for step in 1..=10 {
                context.report_progress(f64::from(step), Some(10.0), Some("Working")).await;
            }
            Ok(CallToolResult::text("Done."))
        })
        .build()
}

fn hold() -> Tool {
    ToolBuilder::new("hold")
        .description("Reports progress and stays open.")
        .extractor_handler((), |context: Context, RawArgs(_): RawArgs| async move {
            context.report_progress(0.0, Some(10.0), Some("Holding")).await;
            tokio::time::sleep(Duration::from_secs(3600)).await;
            Ok(CallToolResult::text("Done."))
        })
        .build()
}
