//! A call of a tool, from what must hold before it to what the client gets to see of it.

use serde_json::value::RawValue;

use super::{Call, Output, Requires, Tool};
use crate::answer::{Body, Failure, Finished};
use crate::context::Context;
use crate::error::{ProtocolError, ToolError};
use crate::fields::Fields;
use crate::outcome::Outcome;
use crate::protocol::Version;
use crate::protocol::content::ContentBlock;
use crate::protocol::tool::CallToolResult;
use crate::request::RequestInfo;

impl Tool {
    /// Checks that arguments which a client repeats in headers are the same there.
    pub(crate) fn check_headers(
        &self,
        headers: &Fields,
        arguments: Option<&RawValue>,
    ) -> Result<(), ProtocolError> {
        match self.extras.as_ref().and_then(|extras| extras.header_params) {
            Some(params) => (params.check)(headers, &self.schema_and_headers().1, arguments),
            None => Ok(()),
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
    ) -> Result<Call, ToolError> {
        let arguments = arguments.map_or("{}", RawValue::get);
        let Some(extras) = &self.extras else { return (self.handler)(arguments, context) };
        if let Some(check) = extras.check_arguments {
            check(extras.input_schema.unwrap_or(self.input_schema), arguments)?;
        }
        let call = (self.handler)(arguments, context)?;
        Ok(match extras.output {
            Some(Output { schema, check }) => check(schema, call),
            None => call,
        })
    }
}

/// What a client of `version` gets to see of a call.
pub(crate) fn finish(result: Result<CallToolResult, ToolError>, version: Version) -> Finished {
    let result = match result {
        Ok(result) => result,
        Err(ToolError::Internal(cause)) => return Err(Failure::internal(cause)),
        Err(error) => CallToolResult::new().block(ContentBlock::text(error.to_string())).error(),
    };
    let outcome = if result.is_error() { Outcome::ToolError } else { Outcome::Ok };
    let result = result.for_version(version);
    let body = Body { outcome, ..Body::new(&result)? };
    body.with_meta(result.own_meta().filter(|_| version.has_titles()))
}
