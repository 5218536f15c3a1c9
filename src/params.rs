//! Reading the parameters of a method.

use std::borrow::Cow;

use serde_json::value::RawValue;

use crate::error::ProtocolError;
use crate::protocol::members::{self, Member, NotReadable};

/// What a client brings along to a further round: its answers, and the state that it was given.
pub(crate) const INPUT: [&str; 2] = ["inputResponses", "requestState"];

/// The parameters of a request. They may be large, so what most methods want of them is read once.
pub(crate) struct Params<'a> {
    pub(crate) json: Option<&'a RawValue>,
    found: [Member<'a>; Params::FOUND.len()],
}

impl<'a> Params<'a> {
    const FOUND: [&'static str; 6] = ["_meta", "name", "uri", "arguments", INPUT[0], INPUT[1]];

    pub(crate) fn new(json: Option<&'a RawValue>) -> Result<Self, NotReadable> {
        let none = [Ok(None); Self::FOUND.len()];
        let found = json.map_or(Ok(none), |json| members::find(json, Self::FOUND))?;
        Ok(Self { json, found })
    }

    /// A parameter; `None` where it is missing, or none of those that are read at once.
    pub(crate) fn get(&self, name: &str) -> Member<'a> {
        let index = Self::FOUND.iter().position(|other| *other == name);
        index.map_or(Ok(None), |index| self.found[index])
    }

    /// As [`get`](Self::get), for the method itself.
    pub(crate) fn of_method(&self, name: &str) -> Result<Option<&'a RawValue>, ProtocolError> {
        self.get(name).map_err(unreadable)
    }
}

/// Reads parameters by name; no parameters at all are an empty object.
pub(crate) fn read<'a, const N: usize>(
    params: Option<&'a RawValue>,
    names: [&str; N],
) -> Result<[Option<&'a RawValue>; N], ProtocolError> {
    let Some(params) = params else { return Ok([None; N]) };
    members::read(params, names).map_err(unreadable)
}

fn unreadable(error: NotReadable) -> ProtocolError {
    invalid(&format!("`params` {error}"))
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
