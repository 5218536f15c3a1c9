//! Metadata of a request and its client.

use std::borrow::Cow;
use std::rc::Rc;

use serde_json::value::RawValue;

use crate::error::ProtocolError;
use crate::handler::params;
use crate::headers::map::Fields;
use crate::protocol::Version;
use crate::protocol::capabilities::ClientCapabilities;
use crate::protocol::jsonrpc::RequestId;
use crate::protocol::logging::LoggingLevel;
use crate::protocol::meta::{ProgressToken, RequestMeta};
use crate::seal::Policy;

/// What the request says about itself and its client.
#[derive(Debug)]
pub(crate) struct RequestInfo {
    pub(crate) id: RequestId,
    pub(crate) version: Version,
    /// The metadata, for what few handlers ask: it is read when they do.
    pub(crate) meta: Option<Box<RawValue>>,
    /// The least level that the client wants to see; `None` for no log messages at all.
    pub(crate) log_level: Option<LoggingLevel>,
    pub(crate) progress_token: Option<ProgressToken>,
    pub(crate) headers: Rc<Fields>,
    pub(crate) sealing: Policy,
    /// For handlers that may ask the client something in between.
    pub(crate) retry: Option<RetryInput>,
}

/// Input of a request that may take several rounds: what identifies it, the same in every round, and
/// what the client sends along.
#[derive(Debug)]
pub(crate) struct RetryInput {
    pub(crate) method: &'static str,
    pub(crate) name: String,
    pub(crate) arguments: Option<Box<RawValue>>,
    /// Its answers.
    pub(crate) input_responses: Option<Box<RawValue>>,
    /// What it was given together with the questions.
    pub(crate) request_state: Option<String>,
}

impl RetryInput {
    /// Reads the input of a round. The last two parameters are those of [`params::INPUT`], which
    /// versions without input requests ignore.
    pub(crate) fn new(
        version: Version,
        method: &'static str,
        name: &str,
        arguments: Option<&RawValue>,
        input: [Option<&RawValue>; 2],
    ) -> Result<Self, ProtocolError> {
        let [responses, state] = params::INPUT;
        let input = input.map(|value| value.filter(|_| version.has_input_requests()));
        let [input_responses, request_state] = input;
        let request_state = request_state.map(|value| params::string(Some(value), state));
        Ok(Self {
            method,
            name: name.to_owned(),
            arguments: arguments.map(ToOwned::to_owned),
            input_responses: params::object(input_responses, responses)?.map(ToOwned::to_owned),
            request_state: request_state.transpose()?.map(Cow::into_owned),
        })
    }

    /// Whether the client has brought anything.
    pub(crate) fn has_input(&self) -> bool {
        self.input_responses.is_some() || self.request_state.is_some()
    }
}

impl RequestInfo {
    /// What the client declared. Only modern clients do it in the request.
    pub(crate) fn capabilities(&self) -> ClientCapabilities {
        let meta = self.meta.as_deref().filter(|_| self.version.is_modern());
        meta.and_then(|meta| RequestMeta::read(meta).ok())
            .and_then(|meta| serde_json::from_str(meta.client_capabilities?.get()).ok())
            .unwrap_or_default()
    }
}
