//! The arguments of a call: their checks, and reading them into their type.
//!
//! How often the text of the arguments is parsed:
//!
//! | call | passes | without sharing |
//! |---|---|---|
//! | plain | 3: message, `params`, argument type | 3 |
//! | with header parameters or a schema check | 4: also one [`Value`] | 4 |
//! | with both | 4: they share the `Value` and the schema | 5, with two schemas |
//! | of a tool that asks the client, sealed | 1 more: the canonical form | 2 more if a round opens and seals |
//!
//! The first two passes split the message and `params` into members. They remain apart, since other
//! methods read `params` by other names.
//!
//! The argument type is read from the text even if there is a `Value`. A `Value` keeps neither
//! repeated members nor the order of members, integers beyond 64 bits, or the spelling that a
//! `RawValue` shows. It would also link a second reader of each argument type.

use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::value::RawValue;

use super::Tool;
use crate::error::{ProtocolError, ToolError, excerpt};
use crate::headers::map::Fields;
use crate::schema::{InvalidValue, from_json};

/// The outcome of the checks: an error of the protocol at once, one for the model when the call
/// would start.
pub(crate) type Checked = Result<Result<(), ToolError>, ProtocolError>;

/// Checks of arguments before they are read. A function pointer in a tool, so that only servers
/// with such tools link them.
pub(super) type Check = fn(&Tool, Option<&RawValue>, Option<&Fields>) -> Checked;

/// Compares arguments with their headers and with the schema, as far as the tool asks for it. The
/// arguments and the schema are read once for both.
pub(super) fn check(tool: &Tool, json: Option<&RawValue>, headers: Option<&Fields>) -> Checked {
    let Some(extras) = &tool.extras else { return Ok(Ok(())) };
    let headers = headers.zip(extras.header_params);
    if headers.is_none() && extras.check_schema.is_none() {
        return Ok(Ok(()));
    }
    let schema = extras.input_schema.unwrap_or(tool.input_schema)();
    let arguments = serde_json::from_str::<Value>(text(json));
    if let Some((headers, params)) = headers {
        (params.check)(headers, &schema, arguments.as_ref().ok())?;
    }
    let Some(check) = extras.check_schema else { return Ok(Ok(())) };
    Ok(match arguments {
        Ok(arguments) => check(&schema, &arguments),
        // Read again by what knows places.
        Err(_) => read::<Value>(text(json)).map(drop),
    })
}

/// The text of arguments. None at all are an empty object.
pub(super) fn text(json: Option<&RawValue>) -> &str {
    json.map_or("{}", RawValue::get)
}

/// Reads arguments into their type.
pub(super) fn read<A: DeserializeOwned>(json: &str) -> Result<A, ToolError> {
    from_json::read(json).map_err(unreadable)
}

/// Arguments that are no value of the argument type, or no JSON that could be one.
#[cold]
fn unreadable(error: InvalidValue) -> ToolError {
    let (path, reason) = error.into_parts();
    ToolError::InvalidArguments { path: excerpt(&path).into_owned(), reason }
}
