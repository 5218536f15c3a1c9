//! From a method's name to its answer: the one `match` on methods.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::context::{Context, LocalFuture, RequestInfo};
use crate::error::{ProtocolError, ToolError};
use crate::outbox::Outbox;
use crate::outcome::Outcome;
use crate::protocol::Version;
use crate::protocol::content::ContentBlock;
use crate::protocol::discover::{Cache, DiscoverResult, InitializeResult};
use crate::protocol::jsonrpc::{ErrorResponse, RequestId};
use crate::protocol::logging::LoggingLevel;
use crate::protocol::members;
use crate::protocol::meta::SERVER_INFO;
use crate::protocol::tool::{CallToolResult, ListToolsResult};
use crate::server::Server;
use crate::tool::Tool;

/// What a legacy client is told by a tool that needs more than a stateless server can ask for.
const NEEDS_MODERN_CLIENT: &str = "This tool needs client input, which this server offers only \
                                   with protocol 2026-07-28";

/// The methods that a server answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Method {
    Discover,
    Initialize,
    Ping,
    SetLevel,
    ListTools,
    CallTool,
}

impl Method {
    /// The method of that name, where a client of `version` may use it with this server.
    pub(crate) fn find(name: &str, version: Version, server: &Server) -> Option<Self> {
        let modern = version.is_modern();
        match name {
            "server/discover" if modern => Some(Method::Discover),
            "initialize" if !modern => Some(Method::Initialize),
            "ping" if !modern => Some(Method::Ping),
            "logging/setLevel" if !modern => Some(Method::SetLevel),
            "tools/list" if !server.tools().is_empty() => Some(Method::ListTools),
            "tools/call" if !server.tools().is_empty() => Some(Method::CallTool),
            _ => None,
        }
    }
}

/// One response, ready to be written.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) json: String,
    pub(crate) outcome: Outcome,
    /// The error in `json`, which may decide the HTTP status.
    pub(crate) error: Option<ProtocolError>,
    /// What the log should know and the client should not.
    pub(crate) cause: Option<String>,
}

impl Response {
    pub(crate) fn error(id: Option<&RequestId>, error: ProtocolError) -> Self {
        let outcome = match error {
            ProtocolError::TimedOut => Outcome::TimedOut,
            _ => Outcome::ProtocolError,
        };
        let response = ErrorResponse::new(id, error.to_object());
        // Strings, numbers and maps of them: writing them cannot fail.
        let json = serde_json::to_string(&response).unwrap_or_default();
        Self { json, outcome, error: Some(error), cause: None }
    }

    /// A result, given as the JSON of an object; what a modern client expects around it is added.
    fn result(
        server: &Server,
        id: &RequestId,
        version: Version,
        result: &impl Serialize,
        meta: Option<&Map<String, Value>>,
    ) -> Self {
        match write_result(server, id, version, result, meta) {
            Ok(json) => Self { json, outcome: Outcome::Ok, error: None, cause: None },
            Err(error) => Self::internal(id, error.to_string()),
        }
    }

    fn internal(id: &RequestId, cause: String) -> Self {
        Self { cause: Some(cause), ..Self::error(Some(id), ProtocolError::Internal) }
    }
}

/// The answer to a request: there at once, or when a handler has run.
pub(crate) enum Answer {
    Now(Response),
    Call(Call),
}

/// A call that runs as its future is polled.
pub(crate) struct Call {
    pub(crate) future: LocalFuture<Result<CallToolResult, ToolError>>,
    pub(crate) context: Context,
    pub(crate) run_to_completion: bool,
    pub(crate) early_stream: bool,
    pub(crate) heartbeat: bool,
}

impl Call {
    /// The response to the call, once its future is done.
    pub(crate) fn respond(
        server: &Server,
        context: &Context,
        result: Result<CallToolResult, ToolError>,
    ) -> Response {
        let id = context.request_id();
        let result = match result {
            Ok(result) => result,
            Err(ToolError::Internal(cause)) => return Response::internal(id, cause),
            Err(error) => {
                CallToolResult::new().block(ContentBlock::text(error.to_string())).error()
            }
        };
        let version = context.protocol_version();
        let outcome = if result.is_error() { Outcome::ToolError } else { Outcome::Ok };
        let result = result.for_version(version);
        let meta = result.own_meta().filter(|_| version.has_titles());
        Response { outcome, ..Response::result(server, id, version, &result, meta) }
    }
}

/// A check between finding a tool and calling it, for what only a transport knows.
pub(crate) type Admit<'a> = &'a dyn Fn(&Tool, Option<&RawValue>) -> Result<(), ProtocolError>;

/// Answers one request.
pub(crate) fn answer(
    server: &Server,
    method: Method,
    params: Option<&RawValue>,
    request: RequestInfo,
    admit: Admit<'_>,
) -> Result<Answer, ProtocolError> {
    let (id, version) = (request.id.clone(), request.version);
    Ok(Answer::Now(match method {
        Method::Discover => complete(server, &id, version, &discover(server)),
        Method::Initialize => complete(server, &id, version, &initialize(server, params)?),
        Method::Ping => complete(server, &id, version, &Empty {}),
        Method::SetLevel => complete(server, &id, version, &set_level(params)?),
        Method::ListTools => complete(server, &id, version, &list_tools(server, version, params)?),
        Method::CallTool => return call_tool(server, params, request, admit),
    }))
}

fn discover(server: &Server) -> DiscoverResult<'_> {
    DiscoverResult {
        supported_versions: Version::MODERN,
        capabilities: server.capabilities(),
        instructions: server.instructions_text(),
        ttl_ms: server.cache_policy().ttl_ms(),
        cache_scope: server.cache_policy().scope(),
    }
}

fn initialize<'a>(
    server: &'a Server,
    params: Option<&RawValue>,
) -> Result<InitializeResult<'a>, ProtocolError> {
    // Nothing but the version can be remembered, so nothing else is read.
    let names = ["protocolVersion", "capabilities", "clientInfo"];
    let [Some(requested), Some(_), Some(_)] = read_params(params, names)? else {
        let reason = "`protocolVersion`, `capabilities` and `clientInfo` are required";
        return Err(ProtocolError::InvalidParams(reason.into()));
    };
    let requested = members::string(requested).ok_or_else(|| not_a_string("protocolVersion"))?;
    let requested: Option<Version> = requested.parse().ok();
    let version =
        requested.filter(|version| !version.is_modern()).unwrap_or(Version::NEWEST_LEGACY);
    Ok(InitializeResult {
        protocol_version: version,
        capabilities: server.capabilities(),
        server_info: server.identity().for_version(version),
        instructions: server.instructions_text(),
    })
}

/// Nothing can be remembered, so the level is checked and forgotten.
fn set_level(params: Option<&RawValue>) -> Result<Empty, ProtocolError> {
    let [level] = read_params(params, ["level"])?;
    match level.and_then(LoggingLevel::from_json) {
        Some(_) => Ok(Empty {}),
        None => Err(ProtocolError::InvalidParams("`level` must be one of the eight levels".into())),
    }
}

fn list_tools<'a>(
    server: &'a Server,
    version: Version,
    params: Option<&RawValue>,
) -> Result<ListToolsResult<'a>, ProtocolError> {
    let [cursor] = read_params(params, ["cursor"])?;
    if cursor.is_some() {
        // All tools fit one page, so no cursor was ever given out.
        return Err(ProtocolError::InvalidParams("unknown cursor".into()));
    }
    let cache = version.has_result_envelope().then(|| server.cache_policy());
    Ok(ListToolsResult {
        tools: server.tools().iter().map(|tool| tool.definition(version)).collect(),
        ttl_ms: cache.map(Cache::ttl_ms),
        cache_scope: cache.map(Cache::scope),
    })
}

fn call_tool(
    server: &Server,
    params: Option<&RawValue>,
    request: RequestInfo,
    admit: Admit<'_>,
) -> Result<Answer, ProtocolError> {
    let [name, arguments] = read_params(params, ["name", "arguments"])?;
    let name = name.and_then(members::string).ok_or_else(|| not_a_string("name"))?;
    if arguments.is_some_and(|arguments| !arguments.get().starts_with('{')) {
        return Err(ProtocolError::InvalidParams("`arguments` must be an object".into()));
    }
    let tool =
        server.find_tool(&name).ok_or_else(|| ProtocolError::UnknownTool(name.into_owned()))?;
    admit(tool, arguments)?;
    let missing = tool.missing(&request);
    let modern = request.version.is_modern();
    let context = Context::new(request, Outbox::default());
    let started = match missing {
        Some(missing) if modern => {
            return Err(ProtocolError::MissingClientCapability(missing));
        }
        Some(_) => Err(ToolError::new(NEEDS_MODERN_CLIENT)),
        None => tool.call(arguments, context.clone()),
    };
    Ok(match started {
        Err(error) => Answer::Now(Call::respond(server, &context, Err(error))),
        Ok(future) => Answer::Call(Call {
            future,
            context,
            run_to_completion: tool.runs_to_completion(),
            early_stream: tool.streams_early(),
            heartbeat: tool.has_heartbeat(),
        }),
    })
}

/// Reads parameters of a method by name; no parameters at all are an empty object.
fn read_params<'a, const N: usize>(
    params: Option<&'a RawValue>,
    names: [&str; N],
) -> Result<[Option<&'a RawValue>; N], ProtocolError> {
    let Some(params) = params else { return Ok([None; N]) };
    members::read(params, names)
        .map_err(|error| ProtocolError::InvalidParams(format!("`params` {error}").into()))
}

fn not_a_string(name: &str) -> ProtocolError {
    ProtocolError::InvalidParams(format!("`{name}` must be a string").into())
}

/// The tool that parameters of `tools/call` name, where they name one.
pub(crate) fn name_in(params: Option<&RawValue>) -> Option<Cow<'_, str>> {
    let [name] = members::read(params?, ["name"]).ok()?;
    members::string(name?)
}

/// A result that says nothing.
#[derive(Debug, Serialize)]
struct Empty {}

fn complete(
    server: &Server,
    id: &RequestId,
    version: Version,
    result: &impl Serialize,
) -> Response {
    Response::result(server, id, version, result, None)
}

/// Writes a response by joining pieces of JSON: every result is an object, and what modern
/// clients expect in it is the same for all of them.
fn write_result(
    server: &Server,
    id: &RequestId,
    version: Version,
    result: &impl Serialize,
    meta: Option<&Map<String, Value>>,
) -> Result<String, serde_json::Error> {
    let result = serde_json::to_string(result)?;
    let mut json =
        format!("{{\"jsonrpc\":\"2.0\",\"id\":{},\"result\":{{", serde_json::to_string(id)?);
    let mut server_info = String::new();
    if version.has_result_envelope() {
        json.push_str("\"resultType\":\"complete\",");
        server_info = format!("\"{SERVER_INFO}\":{}", serde_json::to_string(server.identity())?);
    }
    let own = meta.map(serde_json::to_string).transpose()?;
    let own = own.as_deref().map_or("", members_of);
    let meta = join([server_info.as_str(), own]);
    let meta = if meta.is_empty() { meta } else { format!("\"_meta\":{{{meta}}}") };
    json.push_str(&join([members_of(&result), &meta]));
    json.push_str("}}");
    Ok(json)
}

/// What stands between the braces of an object.
fn members_of(object: &str) -> &str {
    object.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).unwrap_or_default()
}

/// Joins members of objects that may be missing.
fn join(members: [&str; 2]) -> String {
    let comma = if members.iter().any(|part| part.is_empty()) { "" } else { "," };
    [members[0], comma, members[1]].concat()
}
