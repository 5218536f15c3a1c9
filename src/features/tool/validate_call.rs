//! Validation of arguments and structured content against the schemas of a tool.
//!
//! Tools that need it have these functions as pointers, so that a server whose tools do not need
//! it has no validator in its component.

use serde_json::Value;

use crate::error::{ToolError, excerpt};
use crate::protocol::tool::CallToolResult;
use crate::schema::{MakeSchema, Violation, validate};

/// Checks arguments against a schema.
pub(crate) type CheckSchema = fn(&Value, &Value) -> Result<(), ToolError>;

/// Checks the result of a call.
pub(crate) type CheckResult = fn(MakeSchema, CallToolResult) -> Result<CallToolResult, ToolError>;

/// Refuses arguments that the schema forbids.
pub(crate) fn check_arguments(schema: &Value, arguments: &Value) -> Result<(), ToolError> {
    validate(schema, arguments).map_err(|Violation { path, rule }| ToolError::InvalidArguments {
        path: excerpt(&path).into_owned(),
        reason: rule,
    })
}

/// Lets no structured content out that the schema forbids: that is the server's fault.
pub(crate) fn check_result(
    schema: MakeSchema,
    result: CallToolResult,
) -> Result<CallToolResult, ToolError> {
    if result.is_error() {
        return Ok(result);
    }
    let json = result.structured_json().ok_or_else(|| {
        ToolError::internal("the tool has an output schema and gave no structured content")
    })?;
    let content: Value = serde_json::from_str(json).map_err(ToolError::internal)?;
    validate(&schema(), &content).map_err(|Violation { path, rule }| {
        ToolError::internal(format!(
            "the structured content breaks the output schema: `{path}` {rule}"
        ))
    })?;
    Ok(result)
}
