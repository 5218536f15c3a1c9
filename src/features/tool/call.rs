//! A call of a tool: its preconditions and its result.

use midge_contract::Outcome;
use serde_json::value::RawValue;

use super::{Output, Requires, Tool, arguments};
use crate::error::ToolError;
use crate::handler::context::{Context, LocalFuture};
use crate::handler::request::RequestInfo;
use crate::handler::result::{Failure, MethodResult, ResultObject};
use crate::headers::map::Fields;
use crate::protocol::Version;
use crate::protocol::content::ContentBlock;
use crate::protocol::tool::CallToolResult;

impl Tool {
    /// Checks what a tool wants to hold of its arguments before they are read; `headers` are those
    /// of a client that repeats arguments there.
    pub(crate) fn check(
        &self,
        arguments: Option<&RawValue>,
        headers: Option<&Fields>,
    ) -> arguments::Checked {
        match self.extras.as_ref().and_then(|extras| extras.check) {
            Some(check) => check(self, arguments, headers),
            None => Ok(Ok(())),
        }
    }

    /// What the client would have to declare, but did not.
    pub(crate) fn missing(&self, request: &RequestInfo) -> Option<Box<RawValue>> {
        let Requires { capabilities, missing } = self.extras.as_ref()?.requires.as_ref()?;
        missing(capabilities, request)
    }

    /// Reads the arguments and starts the call, which runs as its future is polled.
    pub(crate) fn call(
        &self,
        arguments: Option<&RawValue>,
        context: Context,
    ) -> Result<LocalFuture<MethodResult>, ToolError> {
        let output = self.extras.as_ref().and_then(|extras| extras.output);
        let ending = Ending { version: context.protocol_version(), output };
        (self.handler)(arguments::text(arguments), context, ending)
    }
}

/// What a call is held against when it is done, and by whom it is seen.
#[derive(Clone, Copy)]
pub(crate) struct Ending {
    version: Version,
    output: Option<Output>,
}

impl Ending {
    /// What the client gets to see of a result.
    pub(crate) fn finish(self, result: Result<CallToolResult, ToolError>) -> MethodResult {
        let result = match self.output {
            Some(Output { schema, check }) => result.and_then(|result| check(schema, result)),
            None => result,
        };
        finish(result, self.version)
    }
}

/// What a client of `version` gets to see of a call.
pub(crate) fn finish(result: Result<CallToolResult, ToolError>, version: Version) -> MethodResult {
    let result = match result {
        Ok(result) => result,
        Err(ToolError::Internal(cause)) => return Err(Failure::internal(cause)),
        Err(error) => CallToolResult::new().block(ContentBlock::text(error.to_string())).error(),
    };
    let outcome = if result.is_error() { Outcome::ToolError } else { Outcome::Ok };
    let result = result.for_version(version);
    let body = ResultObject { outcome, ..ResultObject::new(&result)? };
    body.with_meta(result.own_meta().filter(|_| version.has_titles()))
}
