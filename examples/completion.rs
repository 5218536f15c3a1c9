//! Values offered while a user types: from a list, from what is known already, and from a lookup
//! that can fail.

use midge::{Completion, CompletionRequest, Prompt, RequestError, Resource, Server};
use schemars::JsonSchema;
use serde::Deserialize;

const COUNTRIES: [&str; 3] = ["France", "Germany", "Italy"];

fn cities(country: &str) -> &'static [&'static str] {
    match country {
        "France" => &["Lyon", "Marseille", "Paris"],
        "Germany" => &["Berlin", "Bonn", "Hamburg"],
        "Italy" => &["Milan", "Rome", "Turin"],
        _ => &[],
    }
}

/// The cities of the country that the user has filled in before.
async fn complete_city(typed: CompletionRequest) -> Vec<String> {
    let country = typed.arguments.get("country").map_or("", String::as_str);
    let fits = cities(country).iter().filter(|city| city.starts_with(&typed.value));
    fits.map(ToString::to_string).collect()
}

/// Order numbers are too many to send: the first of them, and how many there are.
async fn complete_order(typed: CompletionRequest) -> Result<Completion, RequestError> {
    if !typed.value.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(RequestError::invalid("an order number has digits only"));
    }
    let orders = (1000..9000).map(|number: u32| number.to_string());
    Ok(orders.filter(|number| number.starts_with(&typed.value)).collect::<Vec<_>>().into())
}

#[derive(Deserialize, JsonSchema)]
struct Trip {
    /// The country to visit.
    country: String,
    /// A city in it.
    city: String,
}

async fn trip(Trip { country, city }: Trip) -> String {
    format!("Plan a weekend in {city}, {country}.")
}

#[derive(Deserialize, JsonSchema)]
struct Order {
    number: u32,
}

async fn order(Order { number }: Order) -> Result<String, RequestError> {
    let known = (1000..9000).contains(&number);
    known.then(|| format!("Order {number}: one midge.")).ok_or(RequestError::NotFound)
}

fn server() -> Server {
    Server::new("travel", env!("CARGO_PKG_VERSION"))
        .prompt(
            Prompt::new("trip", trip)
                .description("Plans a trip.")
                .complete_from("country", &COUNTRIES)
                .complete("city", complete_city),
        )
        .resource(
            Resource::template("travel://orders/{number}", "order", order)
                .complete("number", complete_order),
        )
}

midge::export!(server);
