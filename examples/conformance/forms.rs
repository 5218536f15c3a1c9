//! Forms with all kinds of fields that a form may have.

use midge::{Context, NoArguments, ToolError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Status {
    Active,
    Inactive,
    Pending,
}

/// Every kind of field with a default.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(default)]
struct Defaults {
    name: String,
    age: i64,
    score: f64,
    status: Status,
    verified: bool,
}

impl Default for Defaults {
    fn default() -> Self {
        let name = "John Doe".to_owned();
        Self { name, age: 30, score: 95.5, status: Status::Active, verified: true }
    }
}

pub(crate) async fn defaults(_: NoArguments, context: Context) -> Result<String, ToolError> {
    let answer: Defaults = context.elicit("defaults", "Please check these values").await?;
    said(&answer)
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Choice {
    Option1,
    Option2,
    Option3,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Titled {
    /// First Option
    Value1,
    /// Second Option
    Value2,
    /// Third Option
    Value3,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Choices {
    untitled_single: Choice,
    titled_single: Titled,
    #[schemars(extend("enum" = ["opt1", "opt2", "opt3"], "enumNames" = ["One", "Two", "Three"]))]
    legacy_enum: String,
    untitled_multi: Vec<Choice>,
    titled_multi: Vec<Titled>,
}

pub(crate) async fn choices(_: NoArguments, context: Context) -> Result<String, ToolError> {
    let answer: Choices = context.elicit("choices", "Please choose").await?;
    said(&answer)
}

fn said(answer: &impl Serialize) -> Result<String, ToolError> {
    let content = serde_json::to_string(answer).map_err(ToolError::internal)?;
    Ok(format!("Elicitation completed: action=accept, content={content}"))
}
