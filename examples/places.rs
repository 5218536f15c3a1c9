//! Places on Spin 4.1: found in a SQLite database, their visits counted in a key-value store, and a
//! forecast from the server that a variable names.

use http::Request;
use midge::spin::key_value::Store;
use midge::spin::sqlite::{Connection, Value};
use midge::spin::variables;
use midge::{Json, Server, Tool, ToolError, WasiConfig};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Deserialize, JsonSchema)]
struct Find {
    /// Metres above the sea.
    higher_than: i64,
}

#[derive(Serialize, JsonSchema)]
struct Found {
    places: Vec<Place>,
}

#[derive(Serialize, JsonSchema)]
struct Place {
    name: String,
    /// Metres above the sea.
    height: i64,
}

async fn find(args: Find) -> Result<Json<Found>, ToolError> {
    let database = Connection::open_default().await?;
    let query = "SELECT name, height FROM places WHERE height > ? ORDER BY height";
    let mut rows = database.execute(query, [Value::Integer(args.higher_than)]).await?;
    let mut places = Vec::new();
    while let Some(row) = rows.next().await {
        let (name, height) = (row.get::<&str>(0), row.get(1));
        let (Some(name), Some(height)) = (name, height) else {
            return Err(ToolError::internal("the table `places` has other columns"));
        };
        places.push(Place { name: name.to_owned(), height });
    }
    // Says whether these were all.
    rows.result().await?;
    Ok(Json(Found { places }))
}

#[derive(Deserialize, JsonSchema)]
struct Named {
    /// The name of a place.
    name: String,
}

async fn visit(args: Named) -> Result<String, ToolError> {
    let store = Store::open_default().await?;
    let visits = visits_of(&store, &args.name).await? + 1;
    store.set(key(&args.name), visits.to_string()).await?;
    Ok(format!("Visit {visits} to {}.", args.name))
}

async fn visits(args: Named) -> Result<String, ToolError> {
    match visits_of(&Store::open_default().await?, &args.name).await? {
        0 => Err(ToolError::new(format!("Nobody has been to {} yet", args.name))),
        visits => Ok(visits.to_string()),
    }
}

fn key(name: &str) -> String {
    format!("visits:{name}")
}

async fn visits_of(store: &Store, name: &str) -> Result<u64, ToolError> {
    let Some(value) = store.get(key(name)).await? else { return Ok(0) };
    let text = str::from_utf8(&value).map_err(ToolError::internal)?;
    text.parse().map_err(ToolError::internal)
}

async fn forecast(args: Named) -> Result<String, ToolError> {
    let server = match variables::get("forecasts").await {
        Err(variables::Error::Undefined(_)) => {
            return Err(ToolError::new("This server has no forecasts"));
        }
        server => server?,
    };
    // A name may have anything in it, also what leads to other paths.
    if !args.name.chars().all(|char| char.is_ascii_alphanumeric() || char == '-') {
        return Err(ToolError::new("A name has letters, digits and hyphens"));
    }
    let request = Request::get(format!("{server}/{}", args.name))
        .body("")
        .map_err(|_| ToolError::new(format!("`{}` is no name of a place", args.name)))?;
    let response = midge::fetch(request)
        .await
        .map_err(|error| ToolError::new(format!("No forecast: {error}")))?;
    Ok(String::from_utf8_lossy(response.body()).into_owned())
}

fn server() -> Server {
    Server::new("places", env!("CARGO_PKG_VERSION"))
        // `allowed_origins` and keys: variables of Spin, too.
        .configure(WasiConfig)
        .tool(Tool::new("find_places", find).description("Finds the places above a height."))
        .tool(Tool::new("visit", visit).description("Counts a visit to a place."))
        .tool(Tool::new("visits", visits).description("Says how often a place was visited."))
        .tool(Tool::new("forecast", forecast).description("Gives the weather of a place."))
}

midge::export!(server);
