//! Work between two questions, done once: a seat is held, the user agrees to its price, and only
//! then it is booked.

use midge::{Context, Json, Server, Tool, ToolError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Deserialize, JsonSchema)]
struct Book {
    /// The film to see.
    film: String,
}

/// What the box office says. It travels sealed from one round to the next.
#[derive(Deserialize, Serialize)]
struct Held {
    seat: String,
    price: u32,
}

#[derive(Deserialize, JsonSchema)]
struct Wishes {
    /// Which row?
    #[schemars(range(min = 1, max = 20))]
    row: u8,
}

#[derive(Deserialize, JsonSchema)]
struct Consent {
    /// Book it?
    agreed: bool,
}

#[derive(Serialize, JsonSchema)]
struct Booked {
    /// The seat; none where the user did not agree.
    seat: Option<String>,
}

/// Asks the box office, in a real server by HTTP, to hold a seat.
async fn hold(row: u8) -> Result<Held, ToolError> {
    Ok(Held { seat: format!("{row}A"), price: 10 + u32::from(row) })
}

async fn book(args: Book, context: Context) -> Result<Json<Booked>, ToolError> {
    let message = format!("Where would you like to sit for {}?", args.film);
    let Wishes { row } = context.elicit("wishes", message).await?;
    let Held { seat, price } = context.step("hold", hold(row)).await?;
    let message = format!("Seat {seat} for {price} euros?");
    let Consent { agreed } = context.elicit("consent", message).await?;
    // From here on nothing is asked: what follows runs in the last round only.
    Ok(Json(Booked { seat: agreed.then_some(seat) }))
}

fn server() -> Server {
    Server::new("cinema", env!("CARGO_PKG_VERSION"))
        .tool(Tool::with_context("book", book).description("Books a seat for a film."))
}

midge::export!(server);
