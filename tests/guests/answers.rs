//! A server of the SDK whose tools show one thing each.
#![cfg(target_family = "wasm")]

midge::export!(server);

use std::{hint::black_box, time::Duration};

use http::Request;
use midge::{Context, LoggingLevel, NoArguments, Server, Tool, ToolError, sleep};

fn server() -> Server {
    Server::new("answers", "1.0.0")
        .stream_after(Duration::from_millis(300))
        .keep_alive(Duration::from_millis(100))
        .tool(Tool::new("sized", sized))
        .tool(Tool::new("panics", panics))
        .tool(Tool::new("panics_reading", async |_: Unreadable| "never"))
        .tool(Tool::with_context("panics_streaming", panics_streaming))
        .tool(Tool::new("recurses", recurses))
        .tool(Tool::new("sleeps", sleeps))
        .tool(Tool::with_context("echo_header", echo_header))
        .tool(Tool::with_context("logs", logs))
        .tool(Tool::with_context("progress", progress))
        .tool(Tool::with_context("deferred", deferred))
        .tool(Tool::with_context("defers_and_holds", defers_and_holds).early_stream())
        .tool(Tool::with_context("tells_and_holds", tells_and_holds))
        .tool(Tool::new("holds", holds))
        .tool(Tool::new("holds_streaming", holds).early_stream())
        .tool(Tool::with_context("completes", completes).run_to_completion())
        .tool(Tool::new("spins", spins))
        .tool(Tool::with_context("spins_streaming", spins_streaming))
        .tool(Tool::new("outbound", outbound))
        .tool(Tool::new("prints", prints))
}

#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Size {
    bytes: usize,
}

/// Text of that many bytes, in which no two places look alike.
async fn sized(Size { bytes }: Size) -> String {
    let mut text: String = (0..bytes.div_ceil(8)).map(|n| format!("{n:07} ")).collect();
    text.truncate(bytes);
    text
}

async fn panics(_: NoArguments) -> String {
    panic!("the tool panics");
}

async fn panics_streaming(_: NoArguments, context: Context) -> String {
    context.progress(1.0).await;
    panic!("the tool panics in the stream");
}

/// Arguments whose reading panics, before there is a handler.
#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Unreadable {
    #[serde(deserialize_with = "unreadable", rename = "text")]
    _text: String,
}

fn unreadable<'a, D: serde::Deserializer<'a>>(_: D) -> Result<String, D::Error> {
    panic!("the tool panics at its arguments");
}

/// Recurses until the stack overflows.
async fn recurses(_: NoArguments) -> String {
    fn depth(n: u64) -> u64 {
        if n == u64::MAX { n } else { black_box(depth(black_box(n) + 1)) - 1 }
    }
    depth(0).to_string()
}

#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Wait {
    ms: u64,
}

async fn sleeps(Wait { ms }: Wait) -> String {
    sleep(Duration::from_millis(ms)).await;
    format!("slept {ms} ms")
}

#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Name {
    name: String,
}

async fn echo_header(Name { name }: Name, context: Context) -> Result<String, ToolError> {
    let value = context.header(&name).ok_or("no such header")?;
    Ok(value.to_owned())
}

async fn logs(_: NoArguments, context: Context) -> String {
    for level in [LoggingLevel::Debug, LoggingLevel::Info, LoggingLevel::Error] {
        context.log(level, format!("{level:?}")).await;
    }
    "logged".to_owned()
}

#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Steps {
    steps: u32,
    /// Before each step.
    #[serde(default)]
    ms: u64,
}

async fn progress(Steps { steps, ms }: Steps, context: Context) -> String {
    for step in 1..=steps {
        sleep(Duration::from_millis(ms)).await;
        context.progress(step.into()).total(steps.into()).message(format!("step {step}")).await;
    }
    format!("{steps} steps")
}

/// Says on standard error when it is dropped, or that it was not cut.
struct Guard(&'static str);

impl Drop for Guard {
    fn drop(&mut self) {
        eprintln!("{} dropped", self.0);
    }
}

async fn deferred(Wait { ms }: Wait, context: Context) -> String {
    context.defer(async move {
        sleep(Duration::from_millis(ms)).await;
        eprintln!("deferred work done");
    });
    "answered".to_owned()
}

async fn defers_and_holds(wait: Wait, context: Context) -> String {
    deferred(wait, context).await;
    holds(Wait { ms: 60_000 }).await
}

/// Says when it is at work, for clients that leave before they have heard of it.
async fn tells_and_holds(wait: Wait, context: Context) -> String {
    eprintln!("at work");
    defers_and_holds(wait, context).await
}

async fn holds(Wait { ms }: Wait) -> String {
    let _guard = Guard("guard");
    sleep(Duration::from_millis(ms)).await;
    "held".to_owned()
}

async fn completes(Wait { ms }: Wait, context: Context) -> String {
    let _guard = Guard("guard");
    sleep(Duration::from_millis(ms)).await;
    eprintln!("completed, cancelled: {}", context.is_cancelled());
    "completed".to_owned()
}

async fn spins(_: NoArguments) -> String {
    eprintln!("spinning");
    let mut turns = 0_u64;
    loop {
        turns = std::hint::black_box(turns.wrapping_add(1));
    }
}

/// Spins once its stream has begun.
async fn spins_streaming(_: NoArguments, context: Context) -> String {
    context.progress(1.0).await;
    sleep(Duration::from_millis(10)).await;
    spins(NoArguments {}).await
}

#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Url {
    url: String,
    /// Of a body to send; without one it only asks.
    #[serde(default)]
    bytes: usize,
}

async fn outbound(Url { url, bytes }: Url) -> Result<String, ToolError> {
    let failed = |error: &dyn std::fmt::Display| ToolError::new(format!("cannot call: {error}"));
    let method = if bytes == 0 { "GET" } else { "POST" };
    let request = Request::builder().method(method).uri(url).body(vec![b'x'; bytes]);
    let request = request.map_err(|error| failed(&error))?;
    let response = midge::fetch(request).await.map_err(|error| failed(&error))?;
    String::from_utf8(response.into_body()).map_err(|error| failed(&error))
}

#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Print {
    text: String,
    /// On standard output, and not on standard error.
    #[serde(default)]
    out: bool,
}

/// Prints what its client says, as a careless tool does.
async fn prints(Print { text, out }: Print) -> &'static str {
    if out {
        println!("{text}");
    } else {
        eprintln!("{text}");
    }
    "printed"
}
