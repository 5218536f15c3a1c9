//! The one `match` on methods.

use serde::Serialize;
use serde_json::value::RawValue;

use crate::error::{ProtocolError, ToolError};
use crate::features::list::List;
use crate::features::prompt::Prompts;
use crate::features::resource::Resources;
use crate::features::subscription::Listen;
use crate::features::tool::{self, Tool};
use crate::handler::call::HandlerCall;
use crate::handler::context::Context;
use crate::handler::outbox::Outbox;
use crate::handler::params::{self, Param, Params};
use crate::handler::request::{RequestInfo, RetryInput};
use crate::handler::result::{Failure, MethodResult, ResultObject};
use crate::protocol::Version;
use crate::protocol::discover::{DiscoverResult, InitializeResult};
use crate::protocol::logging::LoggingLevel;
use crate::rpc::peer::PeerContext;
use crate::rpc::response::Response;
use crate::server::{Complete, Server};

/// What a legacy client is told by a tool that requires what the client has declared, if at all, in
/// a handshake that nobody remembers.
const NEEDS_MODERN_CAPABILITIES: &str = "This needs a capability of the client, which this server \
                                         can know of only with protocol 2026-07-28";

/// A method that a server answers, with what answers it.
pub(crate) enum Method<'a> {
    Discover,
    Initialize,
    Ping,
    SetLevel,
    ListTools,
    CallTool,
    ListPrompts(&'a dyn Prompts),
    GetPrompt(&'a dyn Prompts),
    ListResources(&'a dyn Resources),
    ListResourceTemplates(&'a dyn Resources),
    ReadResource(&'a dyn Resources),
    Complete(Complete),
    Listen(&'a dyn Listen),
}

impl<'a> Method<'a> {
    /// The method of that name, where a client of `version` may use it with this server.
    pub(crate) fn find(name: &str, version: Version, server: &'a Server) -> Option<Self> {
        let modern = version.is_modern();
        let tools = !server.tools().is_empty();
        match name {
            "server/discover" if modern => Some(Method::Discover),
            "initialize" if !modern => Some(Method::Initialize),
            "ping" if !modern => Some(Method::Ping),
            "logging/setLevel" if !modern => Some(Method::SetLevel),
            "tools/list" if tools => Some(Method::ListTools),
            "tools/call" if tools => Some(Method::CallTool),
            "prompts/list" => server.prompts().map(Method::ListPrompts),
            "prompts/get" => server.prompts().map(Method::GetPrompt),
            "resources/list" => server.resources().map(Method::ListResources),
            "resources/templates/list" => server.resources().map(Method::ListResourceTemplates),
            "resources/read" => server.resources().map(Method::ReadResource),
            "completion/complete" => server.completion().map(Method::Complete),
            "subscriptions/listen" => server.listening(version).map(Method::Listen),
            _ => None,
        }
    }

    /// The parameter that names what is asked for, which clients repeat in `Mcp-Name`.
    pub(crate) fn name_parameter(&self) -> Option<Param> {
        match self {
            Method::CallTool | Method::GetPrompt(_) => Some(Param::Name),
            Method::ReadResource(_) => Some(Param::Uri),
            _ => None,
        }
    }
}

/// A dispatched request: its response, or the handler that will make one.
pub(crate) enum Dispatched {
    Response(Response),
    Call(HandlerCall),
}

/// Dispatches one request. Errors are those found before a handler runs.
pub(crate) fn dispatch(
    server: &Server,
    method: Method<'_>,
    all_params: &Params<'_>,
    request: RequestInfo,
    peer: &PeerContext,
) -> Result<Dispatched, Failure> {
    let params = all_params.json;
    let lists = server.lists();
    let (id, version) = (request.id.clone(), request.version);
    let body = match method {
        Method::Discover => ResultObject::new(&discover(server, version)),
        Method::Initialize => initialize(server, params, peer),
        Method::Ping => ResultObject::new(&Empty {}),
        Method::SetLevel => set_level(params, peer),
        Method::ListTools => list_tools(server, params, &request),
        Method::ListPrompts(prompts) => prompts.list(lists, params, &request),
        Method::ListResources(resources) => resources.list(lists, params, &request),
        Method::ListResourceTemplates(resources) => {
            resources.list_templates(lists, params, &request)
        }
        Method::CallTool => return call_tool(server, all_params, request, peer),
        Method::GetPrompt(prompts) => return prompts.get(params, request).map(Dispatched::Call),
        Method::ReadResource(resources) => {
            return resources.read(lists, params, request).map(Dispatched::Call);
        }
        Method::Complete(complete) => {
            return complete(server, params, request).map(Dispatched::Call);
        }
        Method::Listen(subscriptions) => {
            let capabilities = server.capabilities(version);
            let exists = |uri: &str| server.has_resource(uri);
            let listening = subscriptions.listen(&capabilities, &exists, params, request);
            return listening.map(Dispatched::Call);
        }
    }?;
    Ok(Dispatched::Response(Response::new(server, &id, version, Ok(body))))
}

fn discover(server: &Server, version: Version) -> DiscoverResult<'_> {
    let cache = server.lists().cache;
    DiscoverResult {
        supported_versions: Version::MODERN,
        capabilities: server.capabilities(version),
        instructions: server.instructions_text(),
        ttl_ms: cache.ttl_ms(),
        cache_scope: cache.scope(),
    }
}

fn initialize(server: &Server, params: Option<&RawValue>, peer: &PeerContext) -> MethodResult {
    // Nothing but the version is ever remembered, so nothing else is read.
    let names = ["protocolVersion", "capabilities", "clientInfo"];
    let members = params::read(params, names)?;
    if let Some(missing) = members.iter().position(Option::is_none) {
        return Err(params::missing(names[missing]).into());
    }
    let requested = params::string(members[0], "protocolVersion")?;
    let requested: Option<Version> = requested.parse().ok();
    let version =
        requested.filter(|version| !version.is_modern()).unwrap_or(Version::NEWEST_LEGACY);
    peer.remember_version(version);
    ResultObject::new(&InitializeResult {
        protocol_version: version,
        capabilities: server.capabilities(version),
        server_info: server.identity().for_version(version),
        instructions: server.instructions_text(),
    })
}

/// Without a connection nothing can be remembered, so the level is checked and forgotten.
fn set_level(params: Option<&RawValue>, peer: &PeerContext) -> MethodResult {
    let [level] = params::read(params, ["level"])?;
    match level.and_then(LoggingLevel::from_json) {
        Some(level) => {
            peer.remember_log_level(level);
            ResultObject::new(&Empty {})
        }
        None => Err(params::invalid("`level` must be one of the eight levels").into()),
    }
}

fn list_tools(server: &Server, params: Option<&RawValue>, request: &RequestInfo) -> MethodResult {
    let define = |tool| Tool::definition(tool, request.version);
    server.lists().list(List::Tools, (params, request), server.tools(), Tool::name, define)
}

fn call_tool(
    server: &Server,
    params: &Params<'_>,
    mut request: RequestInfo,
    peer: &PeerContext,
) -> Result<Dispatched, Failure> {
    let name = params::string(params.of_method(Param::Name)?, "name")?;
    let arguments = params::object(params.of_method(Param::Arguments)?, "arguments")?;
    let input = [params.of_method(Param::InputResponses)?, params.of_method(Param::RequestState)?];
    let tool =
        server.find_tool(&name).ok_or_else(|| ProtocolError::UnknownTool(name.to_string()))?;
    let version = request.version;
    let checked = tool.check(arguments, peer.mirrored_headers(version))?;
    if tool.may_ask() {
        request.retry = Some(RetryInput::new(version, "tools/call", &name, arguments, input)?);
    }
    let id = request.id.clone();
    let missing = tool.missing(&request);
    let context = Context::new(request, Outbox::default());
    let started = match missing {
        Some(missing) if version.has_input_requests() => {
            return Err(ProtocolError::MissingClientCapability(missing).into());
        }
        Some(_) => Err(ToolError::new(NEEDS_MODERN_CAPABILITIES)),
        None => checked.and_then(|()| tool.call(arguments, context.clone())),
    };
    Ok(match started {
        Err(error) => {
            let finished = tool::finish(Err(error), version);
            Dispatched::Response(Response::new(server, &id, version, finished))
        }
        Ok(future) => Dispatched::Call(HandlerCall {
            run_to_completion: tool.runs_to_completion(),
            early_stream: tool.streams_early(),
            heartbeat: tool.has_heartbeat(),
            ..HandlerCall::new(context, future)
        }),
    })
}

/// A result that says nothing.
#[derive(Debug, Serialize)]
struct Empty {}
