//! From the bytes of a body to the work that answers it.

use std::borrow::Cow;
use std::rc::Rc;
use std::time::Instant;

use serde_json::value::RawValue;

use super::era::{self, Era};
use super::headers::{self, Field};
use super::record::Record;
use super::reply::Reply;
use super::status;
use crate::context::RequestInfo;
use crate::dispatch::{self, Answer, Method, Response};
use crate::error::ProtocolError;
use crate::fields::Fields;
use crate::protocol::Version;
use crate::protocol::jsonrpc::{self, InvalidMessage, Message, Request, RequestId};
use crate::protocol::logging::LoggingLevel;
use crate::protocol::members;
use crate::protocol::meta::{ProgressToken, RequestMeta};
use crate::server::Server;

/// How many messages one array may hold.
const MAX_BATCH: usize = 100;

/// What a body asks for.
pub(crate) enum Work {
    /// No message that has an answer: an HTTP reply is all there is.
    Reply(Reply),
    /// One answer, or an array of them.
    Jobs { jobs: Vec<Answer>, batch: bool, modern: bool },
}

/// A message that cannot be answered, with the era whose statuses apply.
struct Failure {
    response: Response,
    modern: bool,
}

/// Reads a body and answers what needs no handler.
pub(crate) fn read(
    server: &Server,
    headers: &Rc<Fields>,
    body: &[u8],
    record: &mut Record,
) -> Work {
    let work = parse(body).and_then(|json| match json.get().as_bytes().first() {
        Some(b'[') => read_batch(server, headers, json, record),
        _ => read_single(server, headers, json, record),
    });
    work.unwrap_or_else(|error| {
        Work::Reply(Reply { outcome: crate::Outcome::Rejected, ..reply_to_error(error) })
    })
}

fn reply_to_error(error: ProtocolError) -> Reply {
    status::reply_to(Response::error(None, error), false)
}

/// Checks that the body is JSON, in UTF-8 and not too deep, and reads no more of it.
fn parse(body: &[u8]) -> Result<&RawValue, ProtocolError> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let text = std::str::from_utf8(body)
        .map_err(|_| ProtocolError::Parse("the body is not UTF-8".to_owned()))?;
    if jsonrpc::nests_too_deep(text) {
        let depth = jsonrpc::MAX_DEPTH;
        return Err(ProtocolError::Parse(format!("the body nests deeper than {depth} levels")));
    }
    serde_json::from_str(text).map_err(|error| ProtocolError::Parse(error.to_string()))
}

fn read_single(
    server: &Server,
    headers: &Rc<Fields>,
    json: &RawValue,
    record: &mut Record,
) -> Result<Work, ProtocolError> {
    let request = match Message::from_json(json) {
        Ok(Message::Request(request)) => request,
        Ok(Message::Notification) => return Ok(Work::Reply(status::accepted())),
        Ok(Message::Response) => return response_received(headers),
        Err(invalid) => return Ok(Work::Reply(reply_to_invalid(invalid))),
    };
    record.request(&request);
    Ok(match answer(server, headers, &request, record) {
        Ok((answer, modern)) => Work::Jobs { jobs: vec![answer], batch: false, modern },
        Err(failure) => Work::Reply(status::reply_to(failure.response, failure.modern)),
    })
}

/// A posted response: legacy clients may think that somebody waits for it; nobody does.
fn response_received(headers: &Fields) -> Result<Work, ProtocolError> {
    match era::decide("", &RequestMeta::default(), Field::of(headers, headers::PROTOCOL_VERSION))? {
        Era::Legacy(_) => Ok(Work::Reply(status::accepted())),
        Era::Modern => Err(ProtocolError::InvalidRequest("a client may not send responses".into())),
    }
}

fn reply_to_invalid(invalid: InvalidMessage) -> Reply {
    let error = ProtocolError::InvalidRequest(invalid.reason.into());
    let reply = status::reply_to(Response::error(invalid.id.as_ref(), error), false);
    Reply { outcome: crate::Outcome::Rejected, ..reply }
}

/// An array of messages, which only one legacy version allows.
fn read_batch(
    server: &Server,
    headers: &Rc<Fields>,
    json: &RawValue,
    record: &mut Record,
) -> Result<Work, ProtocolError> {
    let invalid = |reason: &'static str| ProtocolError::InvalidRequest(reason.into());
    let version = Field::of(headers, headers::PROTOCOL_VERSION);
    let allowed = match era::decide("", &RequestMeta::default(), version) {
        Ok(Era::Legacy(version)) => version.allows_batches(),
        _ => false,
    };
    if !allowed {
        return Err(invalid("arrays of messages are part of 2025-03-26 only"));
    }
    let messages: Vec<&RawValue> = serde_json::from_str(json.get())
        .map_err(|error| ProtocolError::Parse(error.to_string()))?;
    if messages.is_empty() || messages.len() > MAX_BATCH {
        return Err(invalid("an array must hold 1 to 100 messages"));
    }
    record.method("(batch)");
    let jobs: Vec<Answer> = messages
        .into_iter()
        .filter_map(|message| answer_in_batch(server, headers, message))
        .collect();
    Ok(match jobs.is_empty() {
        true => Work::Reply(status::accepted()),
        false => Work::Jobs { jobs, batch: true, modern: false },
    })
}

fn answer_in_batch(server: &Server, headers: &Rc<Fields>, message: &RawValue) -> Option<Answer> {
    let refuse = |id: Option<&_>, reason: &'static str| {
        Answer::Now(Response::error(id, ProtocolError::InvalidRequest(reason.into())))
    };
    Some(match Message::from_json(message) {
        Ok(Message::Notification | Message::Response) => return None,
        Err(invalid) => refuse(invalid.id.as_ref(), invalid.reason),
        Ok(Message::Request(request)) if request.method == "initialize" => {
            refuse(Some(&request.id), "initialize may not be part of an array")
        }
        Ok(Message::Request(request)) => {
            match answer(server, headers, &request, &mut Record::default()) {
                Ok((_, true)) => refuse(Some(&request.id), "arrays are part of 2025-03-26 only"),
                Ok((answer, false)) => answer,
                Err(failure) => Answer::Now(failure.response),
            }
        }
    })
}

/// Answers one request, or starts to; says whether it is a modern one.
fn answer(
    server: &Server,
    headers: &Rc<Fields>,
    request: &Request<'_>,
    record: &mut Record,
) -> Result<(Answer, bool), Failure> {
    let fail = |modern: bool| {
        move |error| Failure { response: Response::error(Some(&request.id), error), modern }
    };
    let meta = request.params.and_then(RequestMeta::of_params);
    let header = Field::of(headers, headers::PROTOCOL_VERSION);
    let era =
        era::decide(&request.method, meta.as_ref().unwrap_or(&RequestMeta::default()), header)
            .map_err(fail(false))?;
    record.era(era);
    match era {
        Era::Modern => answer_modern(server, headers, request, meta.as_ref(), record)
            .map(|answer| (answer, true))
            .map_err(fail(true)),
        Era::Legacy(version) => answer_legacy(server, headers, request, version, meta, record)
            .map(|answer| (answer, false))
            .map_err(fail(false)),
    }
}

/// Checks in the order of the status table, then answers.
fn answer_modern(
    server: &Server,
    headers: &Rc<Fields>,
    request: &Request<'_>,
    meta: Option<&RequestMeta<'_>>,
    record: &mut Record,
) -> Result<Answer, ProtocolError> {
    let version = check_version(headers, meta)?;
    check_capabilities(meta)?;
    let requested = version.as_ref();
    headers::check_version(headers, requested)?;
    let version = requested.parse().ok().filter(|version: &Version| version.is_modern());
    let version = version
        .ok_or_else(|| ProtocolError::UnsupportedVersion { requested: requested.to_owned() })?;
    headers::check_method(headers, &request.method)?;
    let method = Method::find(&request.method, version, server)
        .ok_or_else(|| ProtocolError::MethodNotFound(request.method.clone().into_owned()))?;
    check_name(headers, method, request.params, record)?;
    let info = RequestInfo {
        log_level: read_log_level(meta)?,
        ..request_info(server, headers, request, version, meta)
    };
    dispatch::answer(server, method, request.params, info, &|tool, arguments| {
        headers::check_params(headers, tool.header_params(), arguments)
    })
}

fn answer_legacy(
    server: &Server,
    headers: &Rc<Fields>,
    request: &Request<'_>,
    version: Version,
    meta: Option<RequestMeta<'_>>,
    record: &mut Record,
) -> Result<Answer, ProtocolError> {
    let method = Method::find(&request.method, version, server)
        .ok_or_else(|| ProtocolError::MethodNotFound(request.method.clone().into_owned()))?;
    record_name(method, request.params, record);
    let info = request_info(server, headers, request, version, meta.as_ref());
    dispatch::answer(server, method, request.params, info, &|_, _| Ok(()))
}

/// The version in the body, whatever it is. A header without it is malformed metadata, it without
/// the header is a missing header.
fn check_version(
    headers: &Fields,
    meta: Option<&RequestMeta<'_>>,
) -> Result<String, ProtocolError> {
    let missing = || ProtocolError::InvalidMeta("_meta must name the protocolVersion".into());
    let version = meta.and_then(|meta| meta.protocol_version).ok_or_else(missing)?;
    if Field::of(headers, headers::PROTOCOL_VERSION) == Field::Absent {
        let message = "MCP-Protocol-Version header is missing".to_owned();
        return Err(ProtocolError::HeaderMismatch(message));
    }
    members::string(version)
        .map(Cow::into_owned)
        .ok_or_else(|| ProtocolError::InvalidMeta("protocolVersion must be a string".into()))
}

/// The capabilities must be there; they are read when somebody asks.
fn check_capabilities(meta: Option<&RequestMeta<'_>>) -> Result<(), ProtocolError> {
    match meta.and_then(|meta| meta.client_capabilities) {
        Some(capabilities) if capabilities.get().starts_with('{') => Ok(()),
        Some(_) => Err(ProtocolError::InvalidMeta("clientCapabilities must be an object".into())),
        None => Err(ProtocolError::InvalidMeta("_meta must have clientCapabilities".into())),
    }
}

fn read_log_level(meta: Option<&RequestMeta<'_>>) -> Result<Option<LoggingLevel>, ProtocolError> {
    let Some(level) = meta.and_then(|meta| meta.log_level) else {
        return Ok(None);
    };
    LoggingLevel::from_json(level).map(Some).ok_or_else(|| {
        ProtocolError::InvalidParams("logLevel must be one of the eight levels".into())
    })
}

/// Compares `Mcp-Name` with the body, for the methods that have one.
fn check_name(
    headers: &Fields,
    method: Method,
    params: Option<&RawValue>,
    record: &mut Record,
) -> Result<(), ProtocolError> {
    match (method, record_name(method, params, record)) {
        (Method::CallTool, Some(name)) => headers::check_name(headers, &name),
        _ => Ok(()),
    }
}

/// The name of the tool that is called; parameters without one are refused later, as parameters.
fn record_name(method: Method, params: Option<&RawValue>, record: &mut Record) -> Option<String> {
    if method != Method::CallTool {
        return None;
    }
    let name = dispatch::name_in(params)?;
    record.name(&name);
    Some(name.into_owned())
}

fn request_info(
    server: &Server,
    headers: &Rc<Fields>,
    request: &Request<'_>,
    version: Version,
    meta: Option<&RequestMeta<'_>>,
) -> RequestInfo {
    RequestInfo {
        id: request.id.clone(),
        version,
        params: request.params.map(ToOwned::to_owned),
        // Legacy clients set a level that nobody can remember; this is what most of them expect.
        log_level: (!version.needs_log_level_in_request()).then_some(LoggingLevel::Info),
        progress_token: meta
            .and_then(|meta| RequestId::from_json(meta.progress_token?))
            .map(ProgressToken),
        headers: Rc::clone(headers),
        deadline: server.settings.time_limit.map(|limit| Instant::now() + limit),
    }
}
