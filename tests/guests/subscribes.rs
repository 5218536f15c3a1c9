//! A server that tells its clients of changes. Versions are at another server, which the
//! environment names: that is where the instance that listens learns of what another one has done.
#![cfg(target_family = "wasm")]

midge::export!(server);

use std::{env, error::Error, time::Duration};

use http::{Method, Request};
use midge::{
    Change, NoArguments, Prompt, RequestError, Resource, Server, Subscriptions, Tool, ToolError,
};

fn server() -> Server {
    let polled = Subscriptions::polled(Duration::from_millis(100), version);
    Server::new("subscribes", "1.0.0")
        .keep_alive(Duration::from_millis(100))
        .tool(Tool::new("publish", publish))
        .prompt(Prompt::new("plain", async |_: NoArguments| "Changes are not told."))
        .resource(Resource::new("news://today", "today", async || read("today").await))
        .resource(Resource::new("news://weather", "weather", async || read("weather").await))
        .subscriptions(polled.tools().resource_updates().lifetime(lifetime()))
}

fn lifetime() -> Duration {
    let ms = env::var("LIFETIME_MS").ok().and_then(|ms| ms.parse().ok());
    Duration::from_millis(ms.unwrap_or(60_000))
}

/// What the other server has under the name of what may change.
async fn version(of: Change) -> Option<String> {
    match of {
        Change::Tools => fetch(Method::GET, "tools").await.ok(),
        Change::Resource(uri) => fetch(Method::GET, uri.strip_prefix("news://")?).await.ok(),
        _ => None,
    }
}

async fn read(name: &'static str) -> Result<String, RequestError> {
    fetch(Method::GET, name).await.map_err(RequestError::internal)
}

#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Version {
    name: String,
    version: String,
}

/// Makes a change.
async fn publish(Version { name, version }: Version) -> Result<String, ToolError> {
    fetch(Method::PUT, &format!("{name}/{version}")).await.map_err(ToolError::internal)
}

async fn fetch(method: Method, path: &str) -> Result<String, Box<dyn Error>> {
    let uri = format!("http://{}/{path}", env::var("UPSTREAM")?);
    let request = Request::builder().method(method).uri(uri).body("")?;
    let response = midge::fetch(request).await?;
    if !response.status().is_success() {
        return Err(response.status().to_string().into());
    }
    Ok(String::from_utf8(response.into_body())?)
}
