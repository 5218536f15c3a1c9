//! The arguments of a call: how they are read, and what is checked before.
//!
//! Passes over the text of the arguments. Two of them find it: the message is split into its members
//! and `params` into its own. They stay two, since other methods read `params` by other names.
//!
//! | call | passes | before they shared |
//! |---|---|---|
//! | plain | 3: message, `params`, type | 3 |
//! | with header parameters, or with a schema check | 4: and one [`Value`] | 4 |
//! | with both | 4: the same `Value`, and one schema | 5, and two schemas |
//! | sealed questions besides | 1 more, of the canonical form | 2 more where a round opens and seals |
//!
//! The type is read from the text, also where there is a `Value`. A `Value` has lost what serde and
//! `serde_path_to_error` see: members that occur twice, their order, integers beyond 64 bits, and
//! the spelling that a `RawValue` keeps. It would also link a second reader of each argument type.

use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::value::RawValue;

use super::Tool;
use crate::error::{ProtocolError, ToolError};
use crate::headers::map::Fields;

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
        Err(error) => Err(unreadable("", &error)),
    })
}

/// The text of arguments. None at all are an empty object.
pub(super) fn text(json: Option<&RawValue>) -> &str {
    json.map_or("{}", RawValue::get)
}

/// Reads arguments into their type.
pub(super) fn read<A: DeserializeOwned>(json: &str) -> Result<A, ToolError> {
    let mut deserializer = serde_json::Deserializer::from_str(json);
    serde_path_to_error::deserialize(&mut deserializer)
        .map_err(|error| unreadable(&error.path().to_string(), error.inner()))
}

/// Arguments that are no value of the argument type, or no JSON that could be one.
fn unreadable(path: &str, error: &serde_json::Error) -> ToolError {
    let reason = error.to_string();
    // The position counts in the arguments alone, where nobody can look it up.
    let reason = reason.rsplit_once(" at line ").map_or(reason.as_str(), |(reason, _)| reason);
    let path = if path == "." { "" } else { path };
    ToolError::InvalidArguments { path: path.to_owned(), reason: reason.to_owned() }
}
