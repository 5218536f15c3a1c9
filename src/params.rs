//! Reading the parameters of a method.

use std::borrow::Cow;

use serde_json::value::RawValue;

use crate::error::ProtocolError;
use crate::protocol::members;

/// Reads parameters by name; no parameters at all are an empty object.
pub(crate) fn read<'a, const N: usize>(
    params: Option<&'a RawValue>,
    names: [&str; N],
) -> Result<[Option<&'a RawValue>; N], ProtocolError> {
    let Some(params) = params else { return Ok([None; N]) };
    members::read(params, names).map_err(|error| invalid(&format!("`params` {error}")))
}

/// A parameter that must be there and be a string.
pub(crate) fn string<'a>(
    value: Option<&'a RawValue>,
    name: &str,
) -> Result<Cow<'a, str>, ProtocolError> {
    value.and_then(members::string).ok_or_else(|| invalid(&format!("`{name}` must be a string")))
}

/// A parameter that must be an object, where it is there.
pub(crate) fn object<'a>(
    value: Option<&'a RawValue>,
    name: &str,
) -> Result<Option<&'a RawValue>, ProtocolError> {
    match value {
        Some(value) if !value.get().starts_with('{') => {
            Err(invalid(&format!("`{name}` must be an object")))
        }
        value => Ok(value),
    }
}

/// Parameters that do not fit the method.
pub(crate) fn invalid(reason: &str) -> ProtocolError {
    ProtocolError::InvalidParams(reason.to_owned().into())
}
