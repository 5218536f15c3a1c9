//! Reading the members of a JSON object by name, their values left as they are.
//!
//! What clients write for nothing is decided here: a member that is `null` is absent, and `[]` is an
//! object without members, since PHP writes that for `{}`.
//!
//! The SDK reads few members of few objects, most of them to hand them on unread. One reader for
//! all of them is a tenth of the code that a derived type for each would be, in a component that
//! is loaded for every exchange.

use std::borrow::Cow;
use std::fmt;

use memchr::arch::all::is_equal;
use memchr::memchr;
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

/// Why an object could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotReadable {
    #[error("must be an object")]
    NotAnObject,
    #[error("has a member twice")]
    Repeated,
    #[error("cannot be read")]
    Unreadable,
}

/// What PHP writes for an empty object. Nobody writes blanks between the brackets.
const EMPTY_ARRAY: &str = "[]";

/// The value of one member; `None` where it is missing.
pub(crate) type Member<'a> = Result<Option<&'a RawValue>, NotReadable>;

/// The values of the named members, in the order of the names; `None` for those that are missing
/// or `null`. Other members are skipped.
///
/// `json` is known to be well-formed.
pub(crate) fn read<'a, const N: usize>(
    json: &'a RawValue,
    names: [&str; N],
) -> Result<[Option<&'a RawValue>; N], NotReadable> {
    all(find(json, names)?)
}

/// The values of members none of which may occur twice.
pub(crate) fn all<'a, const N: usize>(
    members: [Member<'a>; N],
) -> Result<[Option<&'a RawValue>; N], NotReadable> {
    let mut values = [None; N];
    all_into(&members, &mut values)?;
    Ok(values)
}

/// Once in a component, however many members are read.
#[inline(never)]
fn all_into<'a>(
    members: &[Member<'a>],
    values: &mut [Option<&'a RawValue>],
) -> Result<(), NotReadable> {
    for (value, member) in values.iter_mut().zip(members) {
        *value = (*member)?;
    }
    Ok(())
}

/// As [`read`], where it is an error only for whom it concerns that a member occurs twice.
pub(crate) fn find<'a, const N: usize>(
    json: &'a RawValue,
    names: [&str; N],
) -> Result<[Member<'a>; N], NotReadable> {
    let mut values = [Ok(None); N];
    read_present_into(json.get(), &names, &mut values)?;
    Ok(values)
}

/// A member, unless it is `null`.
pub(crate) fn present(value: Option<&RawValue>) -> Option<&RawValue> {
    value.filter(|value| value.get() != "null")
}

/// Returns an object to be read later; `None` for one that is written as `[]`.
pub(crate) fn object(value: &RawValue) -> Result<Option<&RawValue>, NotReadable> {
    match value.get() {
        text if text.starts_with('{') => Ok(Some(value)),
        EMPTY_ARRAY => Ok(None),
        _ => Err(NotReadable::NotAnObject),
    }
}

/// Reads a member that has a default, which `null` stands for, too.
pub(crate) fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// As [`find`], in a text that may be no JSON at all. Then it cannot be read. A member that is
/// `null` is there.
pub(crate) fn find_in<'a, const N: usize>(
    text: &'a str,
    names: [&str; N],
) -> Result<[Member<'a>; N], NotReadable> {
    let mut values = [Ok(None); N];
    read_into(text, &names, &mut values)?;
    Ok(values)
}

/// Once in a component, however many members are read.
#[inline(never)]
fn read_present_into<'a>(
    text: &'a str,
    names: &[&str],
    values: &mut [Member<'a>],
) -> Result<(), NotReadable> {
    if text != EMPTY_ARRAY {
        read_into(text, names, values)?;
    }
    // Only now, since a member may be there once, whatever it is.
    values.iter_mut().for_each(|member| *member = member.map(present));
    Ok(())
}

fn read_into<'a>(
    text: &'a str,
    names: &[&str],
    values: &mut [Member<'a>],
) -> Result<(), NotReadable> {
    if !text.trim_ascii_start().starts_with('{') {
        return Err(NotReadable::NotAnObject);
    }
    fill(text, names, values).map_err(|_| NotReadable::Unreadable)
}

/// As [`find`], in the start of a text: the members before its end, or before it is no JSON.
pub(crate) fn find_at_start<'a, const N: usize>(
    text: &'a str,
    names: [&str; N],
) -> [Member<'a>; N] {
    let mut values = [Ok(None); N];
    let _ = fill(text, &names, &mut values);
    values
}

/// Once in a component, however many members are read.
#[inline(never)]
fn fill<'a>(text: &'a str, names: &[&str], values: &mut [Member<'a>]) -> serde_json::Result<()> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    Members { names, values }.deserialize(&mut deserializer)?;
    deserializer.end()
}

/// The value of a member that is a string. Most have no escapes, and are read by leaving the quotes
/// away: what is well-formed is not read again to find that out.
pub(crate) fn string(value: &RawValue) -> Option<Cow<'_, str>> {
    unquoted(value.get())
}

/// As [`string`], of a JSON text that is known to be well-formed.
pub(crate) fn unquoted(json: &str) -> Option<Cow<'_, str>> {
    let text = json.strip_prefix('"')?.strip_suffix('"')?;
    if memchr(b'\\', text.as_bytes()).is_none() {
        return Some(text.into());
    }
    #[derive(Deserialize)]
    struct Text<'a>(#[serde(borrow)] Cow<'a, str>);
    serde_json::from_str(json).ok().map(|Text(text)| text)
}

struct Members<'n, 'v, 'a> {
    names: &'n [&'n str],
    values: &'v mut [Member<'a>],
}

impl<'a> DeserializeSeed<'a> for Members<'_, '_, 'a> {
    type Value = ();

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'a> Visitor<'a> for Members<'_, '_, 'a> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(index) = map.next_key_seed(Name(self.names))? {
            match index {
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
                Some(index) => {
                    let value = map.next_value()?;
                    let member = &mut self.values[index];
                    *member = match member {
                        Ok(None) => Ok(Some(value)),
                        _ => Err(NotReadable::Repeated),
                    };
                }
            }
        }
        Ok(())
    }
}

/// A key, as its place among the names.
struct Name<'n>(&'n [&'n str]);

impl<'a> DeserializeSeed<'a> for Name<'_> {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        // Bytes, since a key may have escapes that no text has, as half a surrogate pair.
        deserializer.deserialize_bytes(self)
    }
}

impl Visitor<'_> for Name<'_> {
    type Value = Option<usize>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a key")
    }

    fn visit_bytes<E: Error>(self, key: &[u8]) -> Result<Self::Value, E> {
        Ok(self.0.iter().position(|name| is_equal(name.as_bytes(), key)))
    }
}

/// A string as JSON.
// Once in a component. Writing a string cannot fail.
#[inline(never)]
pub(crate) fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_two(json: &str) -> Result<[Option<String>; 2], NotReadable> {
        let json = RawValue::from_string(json.to_owned()).unwrap();
        read(&json, ["a", "b"]).map(|values| values.map(|value| value.map(|v| v.get().to_owned())))
    }

    #[test]
    fn members_are_found_by_name() {
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(read_two("{}"), Ok([None, None]));
        assert_eq!(read_two(r#"{"b":null,"c":[1],"a":{"a":2}}"#), Ok([some(r#"{"a":2}"#), None]));
        assert_eq!(read_two(r#"{"\u0061":1}"#), Ok([some("1"), None]), "escaped keys are keys");
        assert_eq!(read_two(r#"{"a":1,"a":2}"#), Err(NotReadable::Repeated));
        assert_eq!(read_two(r#"{"c":1,"c":2}"#), Ok([None, None]), "whoever reads it may mind");
        assert_eq!(read_two(r#"{"\ud800":1,"b":2}"#), Ok([None, some("2")]), "odd, but not ours");
        assert_eq!(read_two(r#"{"a":null,"a":1}"#), Err(NotReadable::Repeated));
        assert_eq!(read_two("[1]"), Err(NotReadable::NotAnObject));
        assert_eq!(read_two("5"), Err(NotReadable::NotAnObject));
    }

    #[test]
    fn a5_an_empty_array_is_an_object_without_members() {
        let object = |json: &str| {
            let json = RawValue::from_string(json.to_owned()).unwrap();
            object(&json).map(|object| object.map(|object| object.get().to_owned()))
        };
        for empty in ["[]", " []"] {
            assert_eq!(object(empty), Ok(None), "{empty}");
            assert_eq!(read_two(empty), Ok([None, None]), "{empty}");
        }
        assert_eq!(object(r#"{"a":1}"#), Ok(Some(r#"{"a":1}"#.to_owned())));
        for other in ["[1]", "[[]]", "\"[]\"", "null", "5"] {
            assert_eq!(object(other), Err(NotReadable::NotAnObject), "{other}");
        }
    }

    #[test]
    fn strings_are_read_with_and_without_escapes() {
        let read = |json: &str| {
            let json = RawValue::from_string(json.to_owned()).unwrap();
            string(&json).map(Cow::into_owned)
        };
        for (json, text) in [
            (r#""""#, ""),
            (r#"" a é""#, " a \u{e9}"),
            (r#""caf\u00e9 \"\\""#, "caf\u{e9} \"\\"),
            (r#" "x" "#, "x"),
        ] {
            assert_eq!(read(json).as_deref(), Some(text), "{json}");
        }
        for json in ["1", "null", "[\"a\"]", "{}", r#""\ud800""#] {
            assert_eq!(read(json), None, "{json}");
        }
    }
}
