//! One request: its era, the checks against its headers, and its dispatch.

use std::borrow::Cow;
use std::rc::Rc;

use midge_contract::MetadataWriter;
use serde_json::value::RawValue;

use super::era::{self, Era};
use crate::error::ProtocolError;
use crate::handler::params::{Param, Params};
use crate::handler::request::RequestInfo;
use crate::handler::result::Failure;
use crate::protocol::Version;
use crate::protocol::jsonrpc::{Request, RequestId};
use crate::protocol::logging::LoggingLevel;
use crate::protocol::members;
use crate::protocol::meta::{ProgressToken, RequestMeta};
use crate::rpc::dispatch::{self, Dispatched, Method};
use crate::rpc::peer::PeerContext;
use crate::rpc::response::Response;
use crate::server::Server;

/// A request that is refused, with the era whose statuses apply.
pub(crate) struct Refused {
    pub(crate) response: Response,
    pub(crate) modern: bool,
}

/// Checks and dispatches a request; also returns whether it is modern. A request of an array has no
/// metadata of its own.
pub(crate) fn start(
    server: &Server,
    peer: &PeerContext,
    request: &Request<'_>,
    mut metadata: Option<&mut MetadataWriter>,
) -> Result<(Dispatched, bool), Refused> {
    let refuse = |failure: Failure, modern: bool| Refused {
        response: Response::failure(&request.id, failure),
        modern,
    };
    let context =
        RequestContext::new(server, peer, request).map_err(|error| refuse(error.into(), true))?;
    let era = era::decide(&request.method, &context.meta, || peer.version())
        .map_err(|error| refuse(error.into(), false))?;
    if let Some(metadata) = &mut metadata {
        metadata.era(era.as_str());
    }
    let modern = matches!(era, Era::Modern);
    let answer = match era {
        Era::Modern => context.start_modern(metadata),
        Era::Legacy(version) => context.start_legacy(version, metadata),
    };
    answer.map(|answer| (answer, modern)).map_err(|failure| refuse(failure, modern))
}

/// A request with its server, peer and parsed parameters.
struct RequestContext<'a> {
    server: &'a Server,
    peer: &'a PeerContext,
    request: &'a Request<'a>,
    params: Params<'a>,
    raw_meta: Option<&'a RawValue>,
    meta: RequestMeta<'a>,
}

impl<'a> RequestContext<'a> {
    fn new(
        server: &'a Server,
        peer: &'a PeerContext,
        request: &'a Request<'a>,
    ) -> Result<Self, ProtocolError> {
        let unreadable =
            |what: &str, error| ProtocolError::InvalidMeta(format!("{what} {error}").into());
        let params = Params::new(request.params);
        let (params, raw_meta) = params
            .and_then(|params| params.get(Param::Meta).map(|meta| (params, meta)))
            .map_err(|error| unreadable("`params`", error))?;
        let meta = raw_meta
            .map_or(Ok(RequestMeta::default()), RequestMeta::read)
            .map_err(|error| unreadable("`_meta`", error))?;
        Ok(Self { server, peer, request, params, raw_meta, meta })
    }

    /// Checks in the order of the status table, then answers.
    fn start_modern(&self, metadata: Option<&mut MetadataWriter>) -> Result<Dispatched, Failure> {
        let requested = self.requested_version()?;
        self.check_capabilities()?;
        self.peer.check_version(&requested)?;
        let version = requested.parse().ok().filter(|version: &Version| version.is_modern());
        let version = version.ok_or_else(|| ProtocolError::UnsupportedVersion {
            supported: Version::MODERN,
            requested: requested.into_owned(),
        })?;
        self.peer.check_method(&self.request.method)?;
        let method = self.find_method(version)?;
        if let Some(name) = self.record_name(&method, metadata) {
            self.peer.check_name(&name)?;
        }
        let info = RequestInfo { log_level: self.log_level()?, ..self.info(version) };
        dispatch::dispatch(self.server, method, &self.params, info, self.peer)
    }

    fn start_legacy(
        &self,
        version: Version,
        metadata: Option<&mut MetadataWriter>,
    ) -> Result<Dispatched, Failure> {
        let method = self.find_method(version)?;
        self.record_name(&method, metadata);
        let info = self.info(version);
        dispatch::dispatch(self.server, method, &self.params, info, self.peer)
    }

    fn find_method(&self, version: Version) -> Result<Method<'a>, ProtocolError> {
        let name = &self.request.method;
        Method::find(name, version, self.server)
            .ok_or_else(|| ProtocolError::MethodNotFound(name.clone().into_owned()))
    }

    /// The version in the body, whatever it is. A header without it is malformed metadata, it
    /// without the header is a missing header.
    fn requested_version(&self) -> Result<Cow<'a, str>, ProtocolError> {
        let invalid = |reason: &'static str| ProtocolError::InvalidMeta(reason.into());
        let version = self
            .meta
            .protocol_version
            .ok_or_else(|| invalid("_meta must name the protocolVersion"))?;
        self.peer.check_version_is_named()?;
        members::string(version).ok_or_else(|| invalid("protocolVersion must be a string"))
    }

    /// The capabilities must be there; they are read when somebody asks.
    fn check_capabilities(&self) -> Result<(), ProtocolError> {
        let invalid = |reason: &'static str| ProtocolError::InvalidMeta(reason.into());
        let capabilities = self.meta.client_capabilities;
        let capabilities =
            capabilities.ok_or_else(|| invalid("_meta must have clientCapabilities"))?;
        match members::object(capabilities) {
            Ok(_) => Ok(()),
            Err(_) => Err(invalid("clientCapabilities must be an object")),
        }
    }

    fn log_level(&self) -> Result<Option<LoggingLevel>, ProtocolError> {
        let Some(level) = self.meta.log_level else {
            return Ok(None);
        };
        LoggingLevel::from_json(level).map(Some).ok_or_else(|| {
            ProtocolError::InvalidParams("logLevel must be one of the eight levels".into())
        })
    }

    /// The name of what is context for, for the methods that name something. Parameters without it
    /// are refused later, as parameters.
    fn record_name(
        &self,
        method: &Method<'_>,
        metadata: Option<&mut MetadataWriter>,
    ) -> Option<Cow<'a, str>> {
        let parameter = method.name_parameter()?;
        let name = members::string(self.params.get(parameter).ok()??)?;
        if let Some(metadata) = metadata {
            metadata.name(&name);
        }
        Some(name)
    }

    fn info(&self, version: Version) -> RequestInfo {
        let token = self.meta.progress_token.and_then(RequestId::from_json);
        RequestInfo {
            id: self.request.id.clone(),
            version,
            meta: self.raw_meta.map(ToOwned::to_owned),
            log_level: (!version.needs_log_level_in_request()).then(|| self.peer.log_level()),
            progress_token: token.map(ProgressToken),
            headers: Rc::clone(&self.peer.headers),
            sealing: self.server.sealing(),
            retry: None,
        }
    }
}
