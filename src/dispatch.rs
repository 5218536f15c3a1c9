//! From a method's name to its answer: the one `match` on methods.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::context::{Context, LocalFuture, RequestInfo};
use crate::error::{ProtocolError, ToolError};
use crate::outbox::Outbox;
use crate::outcome::Outcome;
use crate::protocol::Version;
use crate::protocol::content::ContentBlock;
use crate::protocol::discover::{DiscoverResult, InitializeParams, InitializeResult};
use crate::protocol::jsonrpc::{ErrorResponse, RequestId, ResultResponse};
use crate::protocol::logging::LoggingLevel;
use crate::protocol::meta::ResultMeta;
use crate::protocol::tool::{CallToolParams, CallToolResult, ListParams, ListToolsResult};
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
        Self {
            json,
            outcome,
            error: Some(error),
            cause: None,
        }
    }

    fn result<R: Serialize>(id: &RequestId, outcome: Outcome, result: &R) -> Self {
        match serde_json::to_string(&ResultResponse::new(id, result)) {
            Ok(json) => Self {
                json,
                outcome,
                error: None,
                cause: None,
            },
            Err(error) => Self::internal(id, error.to_string()),
        }
    }

    fn internal(id: &RequestId, cause: String) -> Self {
        Self {
            cause: Some(cause),
            ..Self::error(Some(id), ProtocolError::Internal)
        }
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
            Err(error) => CallToolResult::new()
                .block(ContentBlock::text(error.to_string()))
                .error(),
        };
        let version = context.protocol_version();
        let outcome = if result.is_error() {
            Outcome::ToolError
        } else {
            Outcome::Ok
        };
        let result = result.for_version(version);
        let complete = Complete {
            meta: result_meta(server, version, &result),
            ..Complete::of(&result, version)
        };
        Response::result(id, outcome, &complete)
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
        cache: server.cache_policy().hints(),
    }
}

fn initialize<'a>(
    server: &'a Server,
    params: Option<&RawValue>,
) -> Result<InitializeResult<'a>, ProtocolError> {
    let params: InitializeParams = read_params(params)?;
    let requested = params
        .protocol_version
        .parse()
        .ok()
        .filter(|version: &Version| !version.is_modern());
    let version = requested.unwrap_or(Version::NEWEST_LEGACY);
    Ok(InitializeResult {
        protocol_version: version,
        capabilities: server.capabilities(),
        server_info: server.identity().for_version(version),
        instructions: server.instructions_text(),
    })
}

/// Nothing can be remembered, so the level is checked and forgotten.
fn set_level(params: Option<&RawValue>) -> Result<Empty, ProtocolError> {
    #[derive(Deserialize)]
    struct SetLevelParams {
        #[serde(rename = "level")]
        _level: LoggingLevel,
    }
    read_params::<SetLevelParams>(params).map(|_| Empty {})
}

fn list_tools<'a>(
    server: &'a Server,
    version: Version,
    params: Option<&RawValue>,
) -> Result<ListToolsResult<'a>, ProtocolError> {
    let params: ListParams = read_params(params)?;
    if params.cursor.is_some() {
        // All tools fit one page, so no cursor was ever given out.
        return Err(ProtocolError::InvalidParams("unknown cursor".into()));
    }
    Ok(ListToolsResult {
        tools: server
            .tools()
            .iter()
            .map(|tool| tool.definition(version))
            .collect(),
        cache: version
            .has_result_envelope()
            .then(|| server.cache_policy().hints()),
    })
}

fn call_tool(
    server: &Server,
    params: Option<&RawValue>,
    request: RequestInfo,
    admit: Admit<'_>,
) -> Result<Answer, ProtocolError> {
    let params: CallToolParams<'_> = read_params(params)?;
    if params
        .arguments
        .is_some_and(|arguments| !arguments.get().starts_with('{'))
    {
        return Err(ProtocolError::InvalidParams(
            "`arguments` must be an object".into(),
        ));
    }
    let tool = server
        .find_tool(&params.name)
        .ok_or_else(|| ProtocolError::UnknownTool(params.name.clone().into_owned()))?;
    admit(tool, params.arguments)?;
    let missing = tool.missing(&request.capabilities);
    let modern = request.version.is_modern();
    let context = Context::new(request, Outbox::default());
    let started = match missing {
        Some(missing) if modern => {
            return Err(ProtocolError::MissingClientCapability(Box::new(missing)));
        }
        Some(_) => Err(ToolError::new(NEEDS_MODERN_CLIENT)),
        None => tool.call(params.arguments, context.clone()),
    };
    Ok(match started {
        Err(error) => Answer::Now(Call::respond(server, &context, Err(error))),
        Ok(future) => Answer::Call(Call {
            future,
            context,
            run_to_completion: tool.runs_to_completion(),
            early_stream: tool.streams_early(),
        }),
    })
}

/// Reads the parameters of a method; missing ones are an empty object.
fn read_params<'a, P: Deserialize<'a>>(params: Option<&'a RawValue>) -> Result<P, ProtocolError> {
    serde_json::from_str(params.map_or("{}", RawValue::get)).map_err(|error| {
        let reason = error.to_string();
        let reason = reason
            .split(" at line ")
            .next()
            .unwrap_or_default()
            .to_owned();
        ProtocolError::InvalidParams(Cow::Owned(reason))
    })
}

/// A result that says nothing.
#[derive(Debug, Serialize)]
struct Empty {}

/// A result in what a modern client expects around it; legacy clients get the bare result.
#[derive(Serialize)]
struct Complete<'a, R> {
    #[serde(rename = "resultType", skip_serializing_if = "Option::is_none")]
    result_type: Option<&'static str>,
    #[serde(flatten)]
    result: &'a R,
    #[serde(rename = "_meta", skip_serializing_if = "Option::is_none")]
    meta: Option<ResultMeta<'a>>,
}

impl<'a, R> Complete<'a, R> {
    fn of(result: &'a R, version: Version) -> Self {
        let result_type = version.has_result_envelope().then_some("complete");
        Self {
            result_type,
            result,
            meta: None,
        }
    }
}

fn complete<R: Serialize>(
    server: &Server,
    id: &RequestId,
    version: Version,
    result: &R,
) -> Response {
    let meta = version.has_result_envelope().then(|| ResultMeta {
        server_info: Some(Cow::Borrowed(server.identity())),
        own: None,
    });
    Response::result(
        id,
        Outcome::Ok,
        &Complete {
            meta,
            ..Complete::of(result, version)
        },
    )
}

fn result_meta<'a>(
    server: &'a Server,
    version: Version,
    result: &'a CallToolResult,
) -> Option<ResultMeta<'a>> {
    let server_info = version
        .has_result_envelope()
        .then(|| Cow::Borrowed(server.identity()));
    let own = result.own_meta().filter(|_| version.has_titles());
    (server_info.is_some() || own.is_some()).then_some(ResultMeta { server_info, own })
}
