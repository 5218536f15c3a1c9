//! A tour of tools: plain text, structured output, progress, outbound HTTP and useful failures.

use std::time::Duration;

use http::Request;
use midge::{Context, FetchError, Json, LoggingLevel, Server, Tool, ToolAnnotations, ToolError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Deserialize, JsonSchema)]
struct Greet {
    /// Who to greet.
    name: String,
}

async fn greet(args: Greet) -> String {
    format!("Hello, {}!", args.name)
}

#[derive(Deserialize, JsonSchema)]
struct CountWords {
    /// The text to count.
    text: String,
}

#[derive(Serialize, JsonSchema)]
struct Counts {
    /// Characters, as Unicode scalar values.
    characters: usize,
    /// Words, separated by white space.
    words: usize,
    /// Lines.
    lines: usize,
}

async fn count_words(args: CountWords) -> Json<Counts> {
    Json(Counts {
        characters: args.text.chars().count(),
        words: args.text.split_whitespace().count(),
        lines: args.text.lines().count(),
    })
}

#[derive(Deserialize, JsonSchema)]
struct Countdown {
    /// How many seconds to count down.
    #[serde(default = "three")]
    #[schemars(range(min = 1, max = 10))]
    seconds: u32,
}

fn three() -> u32 {
    3
}

async fn countdown(args: Countdown, context: Context) -> String {
    for second in 0..args.seconds {
        let left = args.seconds - second;
        context
            .progress(f64::from(second))
            .total(f64::from(args.seconds))
            .message(format!("{left} to go"))
            .await;
        midge::sleep(Duration::from_secs(1)).await;
    }
    context.progress(f64::from(args.seconds)).total(f64::from(args.seconds)).message("Done").await;
    format!("Counted down {} seconds.", args.seconds)
}

#[derive(Deserialize, JsonSchema)]
struct Fetch {
    /// The URL to fetch, of a host that the operator allows.
    url: String,
}

/// Bytes of a fetched page that the model gets to see.
const EXCERPT: usize = 1000;

async fn fetch(args: Fetch, context: Context) -> Result<String, ToolError> {
    let request = Request::get(&args.url)
        .body("")
        .map_err(|error| ToolError::new(format!("`url` is not a URL: {error}")))?;
    context.log(LoggingLevel::Info, format!("Fetching {}", args.url)).await;
    let response = midge::fetch(request).await.map_err(|error| unreachable(&args.url, &error))?;
    let (status, body) = (response.status(), response.body());
    let excerpt = String::from_utf8_lossy(&body[..body.len().min(EXCERPT)]);
    Ok(format!("{status}, {} bytes:\n{excerpt}", body.len()))
}

fn unreachable(url: &str, error: &FetchError) -> ToolError {
    ToolError::new(match error {
        FetchError::Denied => {
            format!("{url} cannot be fetched: the operator of this server does not allow its host")
        }
        _ => format!("{url} cannot be fetched: {error}"),
    })
}

#[derive(Deserialize, JsonSchema)]
struct Divide {
    /// What is divided.
    dividend: f64,
    /// What it is divided by; not 0.
    divisor: f64,
}

async fn divide(args: Divide) -> Result<String, ToolError> {
    if args.divisor == 0.0 {
        return Err(ToolError::new("`divisor` is 0; give any other number"));
    }
    let quotient = args.dividend / args.divisor;
    if !quotient.is_finite() {
        return Err(ToolError::new("the quotient is larger than any number of JSON"));
    }
    Ok(serde_json::json!(quotient).to_string())
}

fn server() -> Server {
    let read_only = || ToolAnnotations::new().read_only(true);
    Server::new("midge-demo", env!("CARGO_PKG_VERSION"))
        .title("Midge demo")
        .instructions("A tour of what tools can do; none of them changes anything.")
        .tool(
            Tool::new("greet", greet)
                .description("Greets someone by name.")
                .annotations(read_only().open_world(false)),
        )
        .tool(
            Tool::new("count_words", count_words)
                .description("Counts the characters, words and lines of a text.")
                .annotations(read_only().open_world(false)),
        )
        .tool(
            Tool::with_context("countdown", countdown)
                .description("Counts down, and reports progress every second.")
                .enforce_schema()
                .annotations(read_only().open_world(false)),
        )
        .tool(
            Tool::with_context("fetch", fetch)
                .description("Fetches a web page and shows its beginning.")
                .annotations(read_only()),
        )
        .tool(
            Tool::new("divide", divide)
                .description("Divides two numbers.")
                .annotations(read_only().open_world(false)),
        )
}

midge::export!(server);
