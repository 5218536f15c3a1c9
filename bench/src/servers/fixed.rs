//! Bare hyper: what HTTP costs without MCP.

use std::pin::Pin;

use bytes::Bytes;
use http::{HeaderValue, header};
use http_body_util::{BodyExt, Full};
use hyper::{
    Request, Response,
    body::Incoming,
    service::{Service, service_fn},
};

/// What it answers, and what the component `trivial` answers.
pub(crate) const ANSWER: &[u8] = include_bytes!("answer.json");

type Answer = Pin<Box<dyn Future<Output = Result<Response<Full<Bytes>>, hyper::Error>> + Send>>;

pub(super) fn service() -> impl Service<
    Request<Incoming>,
    Response = Response<Full<Bytes>>,
    Error = hyper::Error,
    Future = Answer,
> + Clone {
    service_fn(|request| -> Answer { Box::pin(answer(request)) })
}

async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, hyper::Error> {
    request.into_body().collect().await?;
    let mut response = Response::new(Full::new(Bytes::from_static(ANSWER)));
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    Ok(response)
}
