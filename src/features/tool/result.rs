//! Return types of tool handlers: [`IntoToolResult`] and [`Json`].

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::error::ToolError;
use crate::protocol::content::ContentBlock;
use crate::protocol::tool::CallToolResult;
use crate::schema;

/// A value as structured content, with its schema as the tool's output schema.
///
/// The result carries the value twice, as `structuredContent` and as JSON text for clients that
/// read only text. Legacy clients get an output schema only where it describes an object.
///
/// ```
#[doc = include_str!("../../../examples/structured.rs")]
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Json<T>(pub T);

/// What a handler may return.
///
/// Implemented for text (`String`, `&'static str`), for content ([`ContentBlock`], a `Vec` of
/// them, [`CallToolResult`]), for structured content ([`Json`]), for `()`, and for `Result` of
/// any of them with [`ToolError`].
#[diagnostic::on_unimplemented(
    message = "a tool cannot return `{Self}`",
    note = "return text, `Json<T>`, `ContentBlock`, `CallToolResult`, or a `Result` of one of them with `ToolError`"
)]
pub trait IntoToolResult {
    /// The value as a result.
    ///
    /// # Errors
    /// The handler's own, or [`ToolError::Internal`] when a value cannot be written as JSON.
    fn into_tool_result(self) -> Result<CallToolResult, ToolError>;

    /// The schema of the structured content, where there is any.
    #[must_use]
    fn output_schema() -> Option<Value> {
        None
    }
}

impl IntoToolResult for CallToolResult {
    fn into_tool_result(self) -> Result<CallToolResult, ToolError> {
        Ok(self)
    }
}

impl IntoToolResult for ContentBlock {
    fn into_tool_result(self) -> Result<CallToolResult, ToolError> {
        Ok(CallToolResult::new().block(self))
    }
}

impl IntoToolResult for Vec<ContentBlock> {
    fn into_tool_result(self) -> Result<CallToolResult, ToolError> {
        Ok(self.into_iter().fold(CallToolResult::new(), CallToolResult::block))
    }
}

impl IntoToolResult for String {
    fn into_tool_result(self) -> Result<CallToolResult, ToolError> {
        ContentBlock::text(self).into_tool_result()
    }
}

impl IntoToolResult for &'static str {
    fn into_tool_result(self) -> Result<CallToolResult, ToolError> {
        ContentBlock::text(self).into_tool_result()
    }
}

impl IntoToolResult for () {
    fn into_tool_result(self) -> Result<CallToolResult, ToolError> {
        Ok(CallToolResult::new())
    }
}

impl<T: Serialize + JsonSchema> IntoToolResult for Json<T> {
    fn into_tool_result(self) -> Result<CallToolResult, ToolError> {
        let result = CallToolResult::new().structured(&self.0).map_err(ToolError::internal)?;
        let text = result.structured_json().unwrap_or_default().to_owned();
        Ok(result.block(ContentBlock::text(text)))
    }

    fn output_schema() -> Option<Value> {
        Some(schema::of_output::<T>())
    }
}

impl<T: IntoToolResult> IntoToolResult for Result<T, ToolError> {
    fn into_tool_result(self) -> Result<CallToolResult, ToolError> {
        self?.into_tool_result()
    }

    fn output_schema() -> Option<Value> {
        T::output_schema()
    }
}
