//! Exchanges without WebAssembly, for the unit tests of a server.
//!
//! The whole exchange runs natively, from the head of the request to the last byte of the answer:
//! only the socket and the clock are left out. [`sleep`](crate::sleep) holds up the thread, and
//! [`fetch`](crate::fetch) always fails; test handlers that call other servers as a component, under
//! a host.
//!
//! ```
//! use midge::{NoArguments, Server, Tool, testing};
//!
//! fn server() -> Server {
//!     Server::new("hello", "1.0.0")
//!         .tool(Tool::new("hello", async |_: NoArguments| "Hello!").description("Says hello."))
//! }
//!
//! let response = testing::exchange(server(), testing::call("hello", serde_json::json!({})));
//! assert_eq!(response.status(), 200);
//! let body: serde_json::Value = serde_json::from_slice(response.body()).unwrap();
//! assert_eq!(body["result"]["content"][0]["text"], "Hello!");
//! ```

use std::cell::RefCell;
use std::future::{Future, pending};
use std::rc::Rc;
use std::task::{Context as TaskContext, Poll};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_lite::future::block_on;
use http::header::{self, HeaderName, HeaderValue};
use http::{HeaderMap, Method, Request, Response, StatusCode};
use midge_contract::Outcome;
use serde_json::{Value, json};

use crate::handler::context::Clock;
use crate::handler::outbox::Outbox;
use crate::handler::panic_attribution::PanicAttribution;
use crate::headers::map::Fields;
use crate::protocol::{Version, meta};
use crate::server::Server;
use crate::transport::http::transport::{ClientGone, Flow, ResponseHead, Transport};
use crate::transport::stdio::{self, Streams};
use crate::transport::{
    http as exchange_http,
    http::{RequestHead, serve},
};

/// A `tools/call` as a client of 2026-07-28 sends it to `/mcp` on this machine.
#[must_use]
pub fn call(tool: &str, arguments: Value) -> Request<Vec<u8>> {
    request("tools/call", json!({ "name": tool, "arguments": arguments }))
}

/// Any request as a client of 2026-07-28 sends it: `params` gets the metadata of a client without
/// capabilities.
///
/// What cannot be in a header, as a method with line breaks, is left out of the headers.
///
/// # Panics
/// When `params` is neither an object nor `null`.
#[must_use]
pub fn request(method: &str, mut params: Value) -> Request<Vec<u8>> {
    params["_meta"] = json!({
        meta::PROTOCOL_VERSION: Version::V2026_07_28,
        meta::CLIENT_CAPABILITIES: {},
    });
    let message = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": &params });
    let mut request = Request::new(message.to_string().into_bytes());
    *request.method_mut() = Method::POST;
    *request.uri_mut() = http::Uri::from_static("http://127.0.0.1/mcp");
    let headers = request.headers_mut();
    let json = HeaderValue::from_static("application/json");
    headers.insert(header::CONTENT_TYPE, json);
    let both = HeaderValue::from_static("application/json, text/event-stream");
    headers.insert(header::ACCEPT, both);
    let version = HeaderValue::from_static(Version::V2026_07_28.as_str());
    headers.insert(HeaderName::from_static("mcp-protocol-version"), version);
    if let Ok(method) = HeaderValue::try_from(method) {
        headers.insert(HeaderName::from_static("mcp-method"), method);
    }
    let name = if method == "resources/read" { "uri" } else { "name" };
    if let Some(name) = params[name].as_str() {
        let encoded = format!("=?base64?{}?=", STANDARD.encode(name));
        let name = HeaderValue::from_str(name).or_else(|_| HeaderValue::try_from(encoded));
        headers.extend(name.ok().map(|name| (HeaderName::from_static("mcp-name"), name)));
    }
    request
}

/// The same request from a client that declares these capabilities, as
/// `{ "elicitation": {}, "sampling": {} }`.
#[must_use]
pub fn with_capabilities(request: Request<Vec<u8>>, capabilities: Value) -> Request<Vec<u8>> {
    change(request, |message| {
        message["params"]["_meta"][meta::CLIENT_CAPABILITIES] = capabilities;
    })
}

/// The next round of a request that was answered by questions (`input_required`): the same request
/// again, with the answers by key and the state that came with the questions.
///
/// ```
/// use midge::{Context, NoArguments, SealingKeys, Server, Tool, ToolError, testing};
/// use serde_json::{Value, json};
///
/// #[derive(serde::Deserialize, schemars::JsonSchema)]
/// struct Name {
///     name: String,
/// }
///
/// async fn greet(_: NoArguments, context: Context) -> Result<String, ToolError> {
///     let Name { name } = context.elicit("user_name", "What is your name?").await?;
///     Ok(format!("Hello, {name}!"))
/// }
///
/// fn server() -> Server {
///     let tool = Tool::with_context("greet", greet).description("Greets the user.");
///     Server::new("greeter", "1.0.0")
///         .sealing_keys(|| SealingKeys::parse("test:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="))
///         .tool(tool)
/// }
///
/// let call = testing::call("greet", json!({}));
/// let first = testing::with_capabilities(call, json!({ "elicitation": {} }));
/// let asked = testing::exchange(server(), first.clone());
/// let answers = json!({ "user_name": { "action": "accept", "content": { "name": "Ada" } } });
/// let answer = testing::exchange(server(), testing::next_round(&first, &asked, answers));
/// let body: Value = serde_json::from_slice(answer.body()).unwrap();
/// assert_eq!(body["result"]["content"][0]["text"], "Hello, Ada!");
/// ```
#[must_use]
pub fn next_round(
    request: &Request<Vec<u8>>,
    response: &Response<Vec<u8>>,
    answers: Value,
) -> Request<Vec<u8>> {
    let response: Value = serde_json::from_slice(response.body()).unwrap_or_default();
    change(request.clone(), |message| {
        message["id"] = json!(message["id"].as_i64().unwrap_or_default() + 1);
        message["params"]["inputResponses"] = answers;
        if let Some(state) = response["result"].get("requestState") {
            message["params"]["requestState"] = state.clone();
        }
    })
}

/// Changes the message of a request.
fn change(request: Request<Vec<u8>>, change: impl FnOnce(&mut Value)) -> Request<Vec<u8>> {
    request.map(|body| match serde_json::from_slice(&body) {
        Ok(mut message) => {
            change(&mut message);
            message.to_string().into_bytes()
        }
        Err(_) => body,
    })
}

/// Runs one exchange to its end.
///
/// Timers never fire: no keep-alives, no upgrade to a stream of a handler that is only slow, no
/// time limits.
#[must_use]
pub fn exchange(server: Server, request: Request<Vec<u8>>) -> Response<Vec<u8>> {
    let (memory, _) = run(&server, request, None);
    let mut response = Response::new(memory.body);
    *response.status_mut() = memory.status;
    *response.headers_mut() = memory.headers;
    response
}

/// How an exchange ended whose client left.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Abandoned {
    /// How it ended: [`Outcome::ClientGone`], unless the client had the whole answer before.
    pub outcome: Outcome,
    /// The lines that the server has logged.
    pub log: Vec<String>,
}

/// Runs an exchange whose client leaves after some writes of the answer; with 0, before its head.
///
/// The handler is dropped then, its destructors run, and so does deferred work, as in a component
/// that has noticed.
///
/// ```
/// use midge::{NoArguments, Outcome, Server, Tool, testing};
///
/// let tool = Tool::new("work", async |_: NoArguments| "done").description("Works.");
/// let server = Server::new("jobs", "1.0.0").tool(tool.early_stream());
/// let ended = testing::abandon(server, testing::call("work", serde_json::json!({})), 0);
/// assert_eq!(ended.outcome, Outcome::ClientGone);
/// assert_eq!(ended.log, ["midge: client-gone: the client has left"]);
/// ```
#[must_use]
pub fn abandon(server: Server, request: Request<Vec<u8>>, writes: usize) -> Abandoned {
    let (memory, outcome) = run(&server, request, Some(writes));
    Abandoned { outcome, log: memory.log.into_inner() }
}

/// Runs a connection over standard input and output to its end: sends all messages, closes the
/// input, and gives what was answered, in order.
///
/// Timers never fire, as in [`exchange`]. The server is built for each message.
///
/// ```
/// use midge::{NoArguments, Server, Tool, testing};
/// use serde_json::json;
///
/// fn server() -> Server {
///     let tool = Tool::new("hello", async |_: NoArguments| "Hello!").description("Says hello.");
///     Server::new("greeter", "1.0.0").tool(tool)
/// }
///
/// let client = json!({ "name": "test", "version": "1" });
/// let hello = json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": client });
/// let answers = testing::converse(server, &[
///     json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": hello }),
///     json!({ "jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": { "name": "hello" } }),
/// ]);
/// assert_eq!(answers[0]["result"]["protocolVersion"], "2025-11-25");
/// assert_eq!(answers[1]["result"]["content"][0]["text"], "Hello!");
/// ```
#[must_use]
pub fn converse(server: fn() -> Server, messages: &[Value]) -> Vec<Value> {
    let lines: String = messages.iter().map(|message| format!("{message}\n")).collect();
    let heard = Rc::<RefCell<Vec<Value>>>::default();
    let input = RefCell::new(Some(lines.into_bytes()));
    let (attribution, outbox) = Default::default();
    let console = Console { input, attribution, outbox, heard: heard.clone() };
    block_on(stdio::serve(Rc::new(server), console));
    heard.take()
}

/// The streams of a client that sends everything at once.
struct Console {
    input: RefCell<Option<Vec<u8>>>,
    attribution: PanicAttribution,
    outbox: Outbox,
    heard: Rc<RefCell<Vec<Value>>>,
}

impl Streams for Console {
    fn poll_read(&self, _: &mut TaskContext<'_>) -> Poll<Flow<Option<Vec<u8>>>> {
        Poll::Ready(Flow::Continue(self.input.take().filter(|input| !input.is_empty())))
    }

    fn begin_line(&self, line: &str) {
        self.heard.borrow_mut().extend(serde_json::from_str::<Value>(line));
    }

    fn poll_write(&self, _: &mut TaskContext<'_>) -> Poll<Flow> {
        Poll::Ready(Flow::Continue(()))
    }

    fn outbox(&self) -> &Outbox {
        &self.outbox
    }

    fn clock(&self) -> Clock {
        Rc::new(|_| Box::pin(pending()))
    }

    fn panic_attribution(&self) -> &PanicAttribution {
        &self.attribution
    }

    fn log(&self, _: &str) {}
}

fn run(server: &Server, request: Request<Vec<u8>>, writes: Option<usize>) -> (Memory, Outcome) {
    let (parts, body) = request.into_parts();
    let pairs = parts.headers.iter();
    let pairs = pairs.map(|(name, value)| (name.to_string(), value.as_bytes().to_vec())).collect();
    let head = RequestHead {
        method: match parts.method {
            Method::POST => exchange_http::Method::Post,
            Method::OPTIONS => exchange_http::Method::Options,
            _ => exchange_http::Method::Other,
        },
        path: parts.uri.path().to_owned(),
        authority: parts.uri.authority().map(ToString::to_string),
        headers: Fields::from_pairs(pairs),
    };
    let mut memory = Memory { request: Some(body), writes, ..Memory::default() };
    let outcome = block_on(serve(server, head, &mut memory));
    (memory, outcome)
}

/// A client that sends everything at once.
#[derive(Default)]
struct Memory {
    request: Option<Vec<u8>>,
    /// How many writes it takes before it leaves; `None` for one that stays.
    writes: Option<usize>,
    log: RefCell<Vec<String>>,
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Transport for Memory {
    async fn read(&mut self) -> Flow<Option<Vec<u8>>> {
        Flow::Continue(self.request.take().filter(|body| !body.is_empty()))
    }

    async fn start(&mut self, head: ResponseHead, first: &[u8]) -> Flow {
        self.status = head.status;
        for (name, value) in head.headers.into_pairs() {
            if let (Ok(name), Ok(value)) =
                (HeaderName::try_from(name), HeaderValue::try_from(value))
            {
                self.headers.append(name, value);
            }
        }
        self.write(first).await
    }

    async fn write(&mut self, bytes: &[u8]) -> Flow {
        match &mut self.writes {
            Some(0) => return Flow::Break(ClientGone::new("the client has left")),
            Some(left) => *left -= 1,
            None => {}
        }
        self.body.extend_from_slice(bytes);
        Flow::Continue(())
    }

    async fn finish(&mut self, _trailers: Option<Fields>) -> Flow {
        Flow::Continue(())
    }

    fn wait(&self, _time: Duration) -> impl Future<Output = ()> + 'static {
        pending()
    }

    fn clock(&self) -> Clock {
        Rc::new(|_| Box::pin(pending()))
    }

    fn log(&self, line: &str) {
        self.log.borrow_mut().push(line.to_owned());
    }
}
