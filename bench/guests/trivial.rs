//! What any component costs: reads the request and gives an answer that is always the same.
#![cfg(target_family = "wasm")]

use wstd::http::{Body, Request, Response, Result};

#[wstd::http_server]
async fn main(mut request: Request<Body>) -> Result<Response<Body>> {
    request.body_mut().contents().await?;
    let answer = include_bytes!("../src/servers/answer.json").as_slice();
    Ok(Response::builder().header("content-type", "application/json").body(answer.into())?)
}
