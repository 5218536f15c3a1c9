//! Result of a method before it becomes a JSON-RPC response.

use midge_contract::{INTERNAL_ERROR, Outcome};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::error::{ProtocolError, RequestError};

/// Result of a method.
pub(crate) type MethodResult = Result<ResultObject, Failure>;

/// A result object of the client's protocol version, without the members that every result has.
#[derive(Debug)]
pub(crate) struct ResultObject {
    /// A JSON object.
    pub(crate) json: String,
    /// The result's own `_meta`, as a JSON object.
    pub(crate) meta: Option<String>,
    pub(crate) result_type: ResultType,
    pub(crate) outcome: Outcome,
}

/// Whether a result is the answer or a question (`resultType`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ResultType {
    Complete,
    InputRequired,
}

impl ResultType {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::InputRequired => "input_required",
        }
    }
}

impl ResultObject {
    /// A complete result.
    ///
    /// # Errors
    /// When the value cannot be written as JSON, as a map whose keys are no strings.
    pub(crate) fn new(result: &impl Serialize) -> MethodResult {
        let json = serde_json::to_string(result).map_err(Failure::internal)?;
        Ok(Self { json, meta: None, result_type: ResultType::Complete, outcome: Outcome::Ok })
    }

    pub(crate) fn with_meta(mut self, meta: Option<&Map<String, Value>>) -> MethodResult {
        self.meta = meta.map(serde_json::to_string).transpose().map_err(Failure::internal)?;
        Ok(self)
    }
}

/// An error of a method.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) error: ProtocolError,
    /// Detail for the log only.
    pub(crate) cause: Option<String>,
}

impl Failure {
    /// An internal error; the cause goes to the log only.
    pub(crate) fn internal(cause: impl std::fmt::Display) -> Self {
        let cause = Some(format!("{INTERNAL_ERROR}{cause}"));
        Self { error: ProtocolError::Internal, cause }
    }
}

impl From<ProtocolError> for Failure {
    fn from(error: ProtocolError) -> Self {
        Self { error, cause: None }
    }
}

impl From<RequestError> for Failure {
    fn from(error: RequestError) -> Self {
        match error {
            RequestError::Internal(cause) => Self::internal(cause),
            error => ProtocolError::InvalidParams(error.to_string().into()).into(),
        }
    }
}
