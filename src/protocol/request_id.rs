//! The id of a request.

use std::borrow::Cow;
use std::rc::Rc;

use serde::Serialize;
use serde::ser::Serializer;
use serde_json::value::RawValue;

use super::members::{self, quoted};

/// The id of a request: a string or an integer of any size, echoed as it came.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RequestId(
    /// The id as JSON, since `serde` does not have integers of any size.
    pub(super) Rc<str>,
);

impl RequestId {
    /// Reads an id; `None` for `null`, fractions and everything else that is no id.
    // One copy of the code, whatever the optimizer thinks: a component is loaded for every exchange.
    #[inline(never)]
    pub(crate) fn from_json(raw: &RawValue) -> Option<Self> {
        Self::from_text(raw.get())
    }

    fn from_text(json: &str) -> Option<Self> {
        if json.starts_with('"') {
            return Some(Self(match members::unquoted(json)? {
                Cow::Borrowed(_) => json.into(),
                // Ids are compared, so each is written in one way.
                Cow::Owned(text) => quoted(&text).into(),
            }));
        }
        json.bytes().all(|byte| matches!(byte, b'-' | b'0'..=b'9')).then(|| Self(json.into()))
    }

    /// Reads an integer that is written as a fraction, for the error that refuses it: `1.0` is 1.
    pub(super) fn from_fraction(raw: &RawValue) -> Option<Self> {
        Self::from_text(raw.get().strip_suffix(".0")?)
    }

    /// Returns the id as JSON.
    pub(crate) fn as_json(&self) -> &str {
        &self.0
    }

    /// Returns the id as text: a string without its quotes.
    pub(crate) fn text(&self) -> Cow<'_, str> {
        members::unquoted(&self.0).unwrap_or(Cow::Borrowed(&self.0))
    }
}

impl Serialize for RequestId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serde_json::from_str::<&RawValue>(&self.0).ok().serialize(serializer)
    }
}

impl std::fmt::Display for RequestId {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.text().fmt(formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a6_integers_of_any_size_are_kept_digit_for_digit() {
        let read = |json: &str| {
            let raw = RawValue::from_string(json.to_owned()).unwrap();
            RequestId::from_json(&raw)
        };
        let digits = "9".repeat(400);
        let below = format!("-{digits}");
        for id in ["0", "-9223372036854775808", "9223372036854775808", &digits, &below] {
            let read = read(id).unwrap();
            assert_eq!(serde_json::to_string(&read).unwrap(), *id);
            assert_eq!(read.to_string(), *id);
        }
        for other in ["1.0", "1.5", "1e2", "-1E2", "null", "[1]", "true"] {
            assert_eq!(read(other), None, "{other}");
        }
    }

    #[test]
    fn ids_are_equal_however_they_are_escaped() {
        let read = |json: &str| RequestId::from_text(json);
        let escaped = read(r#""\u0061\/\"\u00e9""#).unwrap();
        assert_eq!(Some(&escaped), read(r#""a/\"é""#).as_ref());
        assert_eq!(escaped.as_json(), r#""a/\"é""#);
        assert_eq!(serde_json::to_string(&escaped).unwrap(), escaped.as_json());
        assert_eq!(escaped.to_string(), "a/\"é");
        assert_ne!(read("1"), read("\"1\""));
        assert_eq!(read(r#""\ud800""#), None);
    }
}
