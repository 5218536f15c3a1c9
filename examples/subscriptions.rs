//! Clients that listen to a page elsewhere: whether it has changed is asked by HTTP, again and
//! again, and compared by its `ETag`.

use std::time::Duration;

use http::{Method, Request, Response};
use midge::{Change, RequestError, Resource, Server, Subscriptions};

/// Sends a request to the page, which whoever runs the server names in its environment.
async fn send(method: Method) -> Result<Response<Vec<u8>>, RequestError> {
    let page = std::env::var("NEWS_URL").map_err(RequestError::internal)?;
    let request = Request::builder().method(method).uri(page).body("");
    let request = request.map_err(RequestError::internal)?;
    midge::fetch(request).await.map_err(RequestError::internal)
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
    let response = send(Method::GET).await?;
    if !response.status().is_success() {
        return Err(RequestError::NotFound);
    }
    String::from_utf8(response.into_body()).map_err(RequestError::internal)
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
