//! Sleeping and outbound HTTP for handlers, whatever the version of WASI.

use std::time::Duration;

use http::{Request, Response};

use crate::sys::fetch::{FetchError, with_length};

/// Waits, in a component of whatever version of WASI.
///
/// Natively, in unit tests, it holds up the thread: there is no runtime to wait in. A handler that
/// only waits for a time limit of its own is better tested as a component.
///
/// ```
/// use std::time::Duration;
/// use midge::{Context, NoArguments};
///
/// async fn index(_: NoArguments, context: Context) -> &'static str {
///     for step in 1..=3 {
///         context.progress(f64::from(step)).total(3.0).await;
///         midge::sleep(Duration::from_millis(20)).await;
///     }
///     "Indexed."
/// }
/// # drop(index);
/// ```
pub async fn sleep(time: Duration) {
    #[cfg(target_family = "wasm")]
    crate::sys::client::sleep(time).await;
    #[cfg(not(target_family = "wasm"))]
    std::thread::sleep(time);
}

/// Calls another server, in a component of whatever version of WASI, and takes its whole answer, of
/// 8 MiB at most.
///
/// What may be called is up to whoever runs the component: `midge serve --allow-outbound HOST`,
/// `allowed_outbound_hosts` of Spin. Dropping the future closes the call.
///
/// Natively, in unit tests, every call fails with [`FetchError::Native`].
///
/// ```
/// use http::Request;
/// use midge::{RequestError, ToolError};
///
/// async fn weather(city: &str) -> Result<String, ToolError> {
///     let request = Request::get(format!("https://weather.example/{city}")).body("");
///     let response = midge::fetch(request.map_err(ToolError::internal)?)
///         .await
///         .map_err(|error| ToolError::new(format!("no weather: {error}")))?;
///     Ok(String::from_utf8_lossy(response.body()).into_owned())
/// }
/// # drop(weather);
/// ```
///
/// # Errors
///
/// When there is no answer. Whatever the server has answered is one, whatever its status.
pub async fn fetch<B: Into<Vec<u8>>>(request: Request<B>) -> Result<Response<Vec<u8>>, FetchError> {
    send(with_length(request.map(Into::into))).await
}

#[cfg(target_family = "wasm")]
async fn send(request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, FetchError> {
    crate::sys::client::fetch(request).await
}

#[cfg(not(target_family = "wasm"))]
async fn send(_: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, FetchError> {
    Err(FetchError::Native)
}
