//! Asking the user: by a form with fields of several kinds, by a page, and taking no for an answer.

use midge::{Context, NoArguments, NotAnswered, Server, Tool, ToolError};
use schemars::JsonSchema;
use serde::Deserialize;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Size {
    Small,
    Large,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Topping {
    Cheese,
    Mushrooms,
    Olives,
}

/// The form; the docs of the fields are what the user reads.
#[derive(Deserialize, JsonSchema)]
struct Pizza {
    /// How large?
    size: Size,
    /// What on it?
    #[schemars(length(max = 2))]
    toppings: Vec<Topping>,
    /// How many?
    #[schemars(range(min = 1, max = 10))]
    count: u8,
    /// Where to send the bill.
    #[schemars(extend("format" = "email"))]
    email: String,
    /// Anything else?
    note: Option<String>,
}

async fn order(_: NoArguments, context: Context) -> Result<String, ToolError> {
    let asked = context.elicit("pizza", "What would you like?").await;
    let Pizza { size, toppings, count, email, note } = match asked {
        Ok(pizza) => pizza,
        Err(NotAnswered::Declined { .. }) => return Ok("The user wants no pizza.".to_owned()),
        Err(other) => return Err(other.into()),
    };
    let note = note.map_or_else(String::new, |note| format!(" ({note})"));
    Ok(format!("{count} {size:?} with {toppings:?}{note}, billed to {email}."))
}

#[derive(Deserialize, JsonSchema)]
struct Connect {
    /// The number of the account to connect.
    account: u32,
}

/// A password is typed on a page of ours, never into a form of the client.
async fn connect(args: Connect, context: Context) -> Result<String, ToolError> {
    let page = format!("https://accounts.example.com/connect/{}", args.account);
    context.elicit_url("sign_in", "Sign in to connect your account.", page).await?;
    Ok("The user is signing in; ask for the account in a minute.".to_owned())
}

fn server() -> Server {
    Server::new("pizzeria", env!("CARGO_PKG_VERSION"))
        .tool(Tool::with_context("order", order).description("Orders pizza for the user."))
        .tool(Tool::with_context("connect", connect).description("Connects an account."))
}

midge::export!(server);
