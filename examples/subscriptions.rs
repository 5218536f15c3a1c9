//! Clients that listen to a page elsewhere: whether it has changed is asked by HTTP, again and
//! again, and compared by its `ETag`.

use std::time::Duration;

use midge::{Change, RequestError, Resource, Server, Subscriptions};
use wstd::http::{Body, Client, Error, Method, Request, Response};

/// Sends a request to the page, which whoever runs the server names in its environment.
async fn send(method: Method) -> Result<Response<Body>, Error> {
    let page = std::env::var("NEWS_URL")?;
    Client::new().send(Request::builder().method(method).uri(page).body(Body::empty())?).await
}

/// The version of what a client listens to; `None` where nobody can tell, which is no change.
async fn version(of: Change) -> Option<Vec<u8>> {
    match of {
        Change::Resource(_) => {
            let response = send(Method::HEAD).await.ok()?;
            Some(response.headers().get("etag")?.as_bytes().to_vec())
        }
        _ => None,
    }
}

async fn news() -> Result<String, RequestError> {
    let mut response = send(Method::GET).await.map_err(RequestError::internal)?;
    if !response.status().is_success() {
        return Err(RequestError::NotFound);
    }
    let text = response.body_mut().str_contents().await.map_err(RequestError::internal)?;
    Ok(text.to_owned())
}

fn server() -> Server {
    let polled = Subscriptions::polled(Duration::from_secs(5), version);
    Server::new("news", env!("CARGO_PKG_VERSION"))
        .resource(
            Resource::new("news://today", "today", news)
                .description("The news of today.")
                .mime_type("text/plain"),
        )
        .subscriptions(polled.resource_updates().lifetime(Duration::from_secs(45)))
}

midge::export!(server);
