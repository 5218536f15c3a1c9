//! Asking the client's model: once, and in a loop in which it uses a tool of ours.

use midge::{CallToolResult, Context, CreateMessage, Server, Tool, ToolChoice, ToolError};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize, JsonSchema)]
struct Letter {
    /// What to sum up.
    text: String,
}

async fn sum_up(letter: Letter, context: Context) -> Result<String, ToolError> {
    let request = CreateMessage::new(200)
        .system_prompt("You sum up letters in one sentence.")
        .speed_priority(0.8)
        .user(letter.text);
    Ok(context.sample("summary", request).await?.text())
}

#[derive(Deserialize, JsonSchema)]
struct Question {
    /// What to find out about the weather.
    question: String,
}

/// Asks a service, in a real server by HTTP.
async fn weather(city: &str) -> Result<String, ToolError> {
    Ok(format!("Rain in {city}."))
}

/// How often the model may use the tool before it has to answer.
const ROUNDS: usize = 3;

async fn forecast(args: Question, context: Context) -> Result<String, ToolError> {
    let schema = json!({ "type": "object", "properties": { "city": { "type": "string" } } });
    let mut request = CreateMessage::new(500).user(args.question).tool(
        "weather",
        "Tells the weather of a city.",
        schema,
    );
    for round in 0..=ROUNDS {
        if round == ROUNDS {
            request = request.tool_choice(ToolChoice::None);
        }
        let answer = context.sample(format!("round {round}"), &request).await?;
        let mut results = Vec::new();
        for used in answer.tool_uses() {
            let city = used.input.get("city").and_then(Value::as_str).unwrap_or("nowhere");
            // The weather may change between two rounds; the question must not.
            let told = context.step(format!("{round} {}", used.id), weather(city)).await?;
            results.push((used.id.clone(), CallToolResult::new().block(told)));
        }
        if results.is_empty() {
            return Ok(answer.text());
        }
        request = request.tool_use(&answer).tool_results(results);
    }
    Err(ToolError::new("The model only asks for the weather."))
}

fn server() -> Server {
    Server::new("letters", env!("CARGO_PKG_VERSION"))
        .tool(Tool::with_context("sum_up", sum_up).description("Sums up a letter."))
        .tool(Tool::with_context("forecast", forecast).description("Answers about the weather."))
}

midge::export!(server);
