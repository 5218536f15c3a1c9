//! Errors of values that do not fit their Rust type, in the words of JSON.
//!
//! The reader is a model or a person who has never seen the type: texts name the place, speak of
//! numbers and objects, not of `u8` and structs, and quote no more than an excerpt.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Error, Expected, Unexpected};
use serde_json::Number;

use crate::error::{excerpt, shortened};

/// Longest text of a type's own error, in characters: it may quote the client, too.
const LONGEST_REASON: usize = 1000;

/// The reason for a string with half of a surrogate pair.
pub(crate) const NOT_TEXT: &str = "has an escape that is not a Unicode scalar value";

/// What stands before a type's own error.
const OWN: &str = "is wrong: ";

/// Where a value is wrong, and what is wrong with it. In a box, since each value that is read may
/// be one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct InvalidValue(Box<Parts>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Parts {
    /// As `items[2].price`; empty for the value as a whole.
    path: String,
    /// What follows the place in a sentence.
    reason: String,
}

impl InvalidValue {
    pub(super) fn new(reason: String) -> Self {
        Self(Box::new(Parts { path: String::new(), reason }))
    }

    pub(super) fn expected(expected: &str, given: &str) -> Self {
        Self::new(["must be ", expected, ", not ", given].concat())
    }

    /// An error of serde_json itself, where `expected` was. Beside values of another kind, a scan of
    /// JSON lets through numbers that are too large, and escapes that are no text.
    #[cold]
    pub(super) fn of_json(error: &dyn fmt::Display, expected: &str) -> Self {
        let text = error.to_string();
        // The position counts in the value alone, where nobody can look it up.
        const AT: &[u8] = b" at line ";
        let end = text.as_bytes().windows(AT.len()).rposition(|part| part == AT);
        let text = text.get(..end.unwrap_or(text.len())).unwrap_or_default();
        if text.ends_with("hex escape") || text.ends_with("code point") {
            return Self::new(NOT_TEXT.to_owned());
        }
        if expected.is_empty() || text.starts_with("number") {
            return Self::new(excerpt(text).into_owned());
        }
        Self::new(["must be ", expected].concat())
    }

    /// The error as seen from one level up.
    #[cold]
    pub(crate) fn within(mut self, segment: &str) -> Self {
        let path = &self.0.path;
        let dot = if path.is_empty() || path.starts_with('[') { "" } else { "." };
        self.0.path = [&*excerpt(segment), dot, path].concat();
        self
    }

    /// The place, such as `items[2].price`.
    pub(crate) fn path(&self) -> &str {
        &self.0.path
    }

    /// The place and what is wrong there: of a type's own error, its own words.
    pub(crate) fn into_parts(self) -> (String, String) {
        let Parts { path, mut reason } = *self.0;
        if reason.starts_with(OWN) {
            reason.drain(..OWN.len());
        }
        (path, reason)
    }
}

impl fmt::Display for InvalidValue {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Parts { path, reason } = &*self.0;
        if !path.is_empty() {
            write!(formatter, "`{path}` ")?;
        }
        formatter.write_str(reason)
    }
}

impl std::error::Error for InvalidValue {}

impl Error for InvalidValue {
    #[cold]
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new([OWN, &shortened(&message.to_string(), LONGEST_REASON)].concat())
    }

    #[cold]
    fn invalid_type(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        match unexpected {
            // Not to be taken for what the string says.
            Unexpected::Str(text) => {
                refused(expected, Some(["`\"", &excerpt(text), "\"`"].concat().into()))
            }
            other => refused(expected, given(&other)),
        }
    }

    #[cold]
    fn invalid_value(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        refused(expected, given(&unexpected))
    }

    /// Of lists only, which may be longer than that.
    #[cold]
    fn invalid_length(length: usize, _: &dyn Expected) -> Self {
        Self::new(["has only ", itoa::Buffer::new().format(length), " items"].concat())
    }

    #[cold]
    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        Self::new(format!("must be {}, not `{}`", one_of(expected), excerpt(variant)))
    }

    #[cold]
    fn unknown_field(field: &str, _: &'static [&'static str]) -> Self {
        Self::new(["`", &excerpt(field), "` is not known"].concat())
    }

    #[cold]
    fn missing_field(field: &'static str) -> Self {
        Self::new(["`", field, "` is missing"].concat())
    }

    #[cold]
    fn duplicate_field(field: &'static str) -> Self {
        Self::new(["`", field, "` is given twice"].concat())
    }
}

fn refused(expected: &dyn Expected, given: Option<Cow<'_, str>>) -> InvalidValue {
    let expected = expected.to_string();
    match given {
        Some(given) => InvalidValue::expected(in_words(&expected), &given),
        None => InvalidValue::new(["must be ", in_words(&expected)].concat()),
    }
}

/// The choices of an enum.
pub(super) fn one_of(variants: &[&str]) -> String {
    let choices: Vec<_> = variants.iter().map(|name| format!("`{name}`")).collect();
    format!("one of {}", choices.join(", "))
}

/// What was given, where it says anything to who reads JSON.
fn given(unexpected: &Unexpected<'_>) -> Option<Cow<'static, str>> {
    let number = match *unexpected {
        Unexpected::Unit | Unexpected::Option => return Some("`null`".into()),
        Unexpected::Seq => return Some("a list".into()),
        Unexpected::Map => return Some("an object".into()),
        Unexpected::Bool(flag) => return Some(if flag { "`true`" } else { "`false`" }.into()),
        Unexpected::Str(text) => return Some(["`", &excerpt(text), "`"].concat().into()),
        Unexpected::Unsigned(number) => number.into(),
        Unexpected::Signed(number) => number.into(),
        // Not by its own `Display`, which would be 14 KB more of component.
        Unexpected::Float(number) => Number::from_f64(number)?,
        _ => return None,
    };
    Some(["`", &number.to_string(), "`"].concat().into())
}

/// What serde expects, by the name of a Rust type, as a kind of JSON.
fn in_words(expected: &str) -> &str {
    match expected {
        "a boolean" => "`true` or `false`",
        "a map" => "an object",
        "a sequence" => "a list",
        "unit" => "`null`",
        "f32" | "f64" => "a number",
        "i8" | "i16" | "i32" | "i64" | "i128" | "isize" | "u8" | "u16" | "u32" | "u64" | "u128"
        | "usize" => "a whole number in its range",
        other if other.starts_with("struct ") || other.starts_with("internally tagged") => {
            "an object"
        }
        other => other,
    }
}
