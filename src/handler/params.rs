//! Reading the parameters of a method.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::value::RawValue;

use crate::error::ProtocolError;
use crate::protocol::members::{self, Member, NotReadable};
use crate::schema::{NOT_TEXT, from_json};

/// What a client brings along to a further round: its answers, and the state that it was given.
pub(crate) const INPUT: [&str; 2] = ["inputResponses", "requestState"];

/// The parameters of a request. They may be large, so what most methods want of them is read once.
pub(crate) struct Params<'a> {
    pub(crate) json: Option<&'a RawValue>,
    found: [Member<'a>; Param::NAMES.len()],
}

/// A parameter that is read at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Param {
    Meta,
    Name,
    Uri,
    Arguments,
    InputResponses,
    RequestState,
}

impl Param {
    /// In the order of the variants.
    const NAMES: [&'static str; 6] = ["_meta", "name", "uri", "arguments", INPUT[0], INPUT[1]];
}

impl<'a> Params<'a> {
    pub(crate) fn new(json: Option<&'a RawValue>) -> Result<Self, NotReadable> {
        let none = [Ok(None); Param::NAMES.len()];
        let found = json.map_or(Ok(none), |json| members::find(json, Param::NAMES))?;
        Ok(Self { json, found })
    }

    /// A parameter; `None` where it is missing.
    pub(crate) fn get(&self, param: Param) -> Member<'a> {
        self.found[param as usize]
    }

    /// As [`get`](Self::get), for the method itself.
    pub(crate) fn of_method(&self, param: Param) -> Result<Option<&'a RawValue>, ProtocolError> {
        self.get(param).map_err(unreadable)
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
    let value = value.ok_or_else(|| missing(name))?;
    members::string(value).ok_or_else(|| {
        let is_string = value.get().starts_with('"');
        invalid(&format!("`{name}` {}", if is_string { NOT_TEXT } else { "must be a string" }))
    })
}

/// A parameter that must be an object, where it is there.
pub(crate) fn object<'a>(
    value: Option<&'a RawValue>,
    name: &str,
) -> Result<Option<&'a RawValue>, ProtocolError> {
    let object = value.map_or(Ok(None), members::object);
    object.map_err(|error| invalid(&format!("`{name}` {error}")))
}

/// A parameter that must be an object of strings, where it is there.
pub(crate) fn strings(
    value: Option<&RawValue>,
    name: &str,
) -> Result<BTreeMap<String, String>, ProtocolError> {
    let Some(object) = object(value, name)? else { return Ok(BTreeMap::new()) };
    let strings: BTreeMap<String, Option<String>> =
        from_json::read(object.get()).map_err(|error| invalid(&error.within(name).to_string()))?;
    Ok(strings.into_iter().filter_map(|(name, text)| Some((name, text?))).collect())
}

/// Parameters without one that is required.
pub(crate) fn missing(name: &str) -> ProtocolError {
    invalid(&format!("`{name}` is missing"))
}

/// Parameters that do not fit the method.
pub(crate) fn invalid(reason: &str) -> ProtocolError {
    ProtocolError::InvalidParams(reason.to_owned().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_surrogate_pair_is_told_with_its_place() {
        let half = RawValue::from_string(r#"{"a":"\ud800"}"#.to_owned()).unwrap();
        assert_eq!(
            strings(Some(&half), "arguments").unwrap_err().to_string(),
            "Invalid params: `arguments.a` has an escape that is not a Unicode scalar value"
        );
    }

    #[test]
    fn parameters_are_found_by_their_names() {
        for param in [
            Param::Meta,
            Param::Name,
            Param::Uri,
            Param::Arguments,
            Param::InputResponses,
            Param::RequestState,
        ] {
            let name = format!("{param:?}");
            let name = name[..1].to_lowercase() + &name[1..];
            let name = if param == Param::Meta { "_meta" } else { &name };
            let json = RawValue::from_string(format!(r#"{{"other":1,"{name}":2}}"#)).unwrap();
            let params = Params::new(Some(&json)).unwrap();
            assert_eq!(params.get(param).unwrap().map(RawValue::get), Some("2"), "{name}");
        }
    }
}
