//! Connections over standard input and output.

mod batches;
mod cancelling;
mod ends;
mod eras;
mod lines;
mod side_by_side;
mod subscriptions;
mod talk;

use serde_json::json;

use self::talk::{Events, Gate, Talk};
use crate::{Context, LoggingLevel, NoArguments, Server, Tool};

/// A server whose tools tell what happens to them.
fn server(events: &Events, gate: &Gate) -> Server {
    Server::new("lines", "1")
        .tool(Tool::new("quick", async |_: NoArguments| "done").description("x"))
        .tool(waits(events, gate))
        .tool(waits_and_tells(events, gate))
        .tool(unstoppable(events, gate))
}

/// Waits for the gate, and leaves something for afterwards.
fn waits(events: &Events, gate: &Gate) -> Tool {
    let (events, gate) = (events.clone(), gate.clone());
    let handler = move |_: NoArguments, context: Context| {
        let (events, gate) = (events.clone(), gate.clone());
        async move {
            let held = events.on_drop("dropped");
            let later = events.clone();
            let me = context.clone();
            context.defer(async move {
                later.add(if me.is_cancelled() { "deferred, cancelled" } else { "deferred" });
            });
            gate.opened().await;
            drop(held);
            "waited"
        }
    };
    Tool::with_context("waits", handler).description("x")
}

/// Tells its client something before and after the gate.
fn waits_and_tells(events: &Events, gate: &Gate) -> Tool {
    let (events, gate) = (events.clone(), gate.clone());
    let handler = move |_: NoArguments, context: Context| {
        let (events, gate) = (events.clone(), gate.clone());
        async move {
            let _held = events.on_drop("dropped");
            context.progress(1.0).await;
            events.add("told");
            gate.opened().await;
            context.log(LoggingLevel::Warning, "late").await;
            "told all"
        }
    };
    Tool::with_context("tells", handler).description("x")
}

/// Goes on without its client.
fn unstoppable(events: &Events, gate: &Gate) -> Tool {
    let (events, gate) = (events.clone(), gate.clone());
    let handler = move |_: NoArguments| {
        let (events, gate) = (events.clone(), gate.clone());
        async move {
            let _held = events.on_drop("dropped");
            gate.opened().await;
            events.add("completed");
        }
    };
    Tool::new("unstoppable", handler).description("x").run_to_completion()
}

/// A connection to that server.
fn talk() -> (Talk, Events, Gate) {
    let (events, gate) = (Events::default(), Gate::default());
    let parts = (events.clone(), gate.clone());
    (Talk::with(move || server(&parts.0, &parts.1)), events, gate)
}

/// A call whose client wants to see progress, and all log messages.
fn call_and_watch(talk: &mut Talk, id: u32, tool: &str) {
    let mut meta = super::wire::modern_meta();
    meta["progressToken"] = json!(id);
    meta["io.modelcontextprotocol/logLevel"] = json!("debug");
    talk.ask(id, "tools/call", json!({ "name": tool, "_meta": meta }));
}
