//! A shopping cart that lives in the client.

use midge::{Context, Json, Sealed, Server, Tool, ToolError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the server must remember, and nobody else may read or change.
#[derive(Default, Deserialize, Serialize, JsonSchema)]
struct Cart {
    items: Vec<Item>,
}

#[derive(Deserialize, Serialize, JsonSchema)]
struct Item {
    name: String,
    /// In cents: a price that was promised is not one that a client can set.
    price: u32,
}

#[derive(Deserialize, JsonSchema)]
struct Add {
    /// What to buy: tea or cake.
    name: String,
    /// The cart as the last call returned it; a new cart without one.
    cart: Option<Sealed<Cart>>,
}

#[derive(Serialize, JsonSchema)]
struct Added {
    /// For the next call, in place of the cart before.
    cart: Sealed<Cart>,
    /// What all items cost, in cents.
    total: u32,
}

async fn add(args: Add, context: Context) -> Result<Json<Added>, ToolError> {
    let mut cart = match args.cart {
        Some(cart) => cart.open(&context)?,
        None => Cart::default(),
    };
    let price = match args.name.as_str() {
        "tea" => 250,
        "cake" => 400,
        other => return Err(ToolError::new(format!("there is no `{other}`, only tea and cake"))),
    };
    cart.items.push(Item { name: args.name, price });
    let total = cart.items.iter().map(|item| item.price).sum();
    Ok(Json(Added { cart: context.seal(&cart)?, total }))
}

fn server() -> Server {
    Server::new("shop", env!("CARGO_PKG_VERSION"))
        .tool(Tool::with_context("add", add).description("Adds an item to a shopping cart."))
}

midge::export!(server);
