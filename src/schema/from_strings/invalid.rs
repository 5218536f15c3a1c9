//! Errors of values that were typed as strings.

use std::fmt;

use serde::de::{Error, Expected, Unexpected};

/// Which of the strings is wrong, and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` {reason}")]
pub(crate) struct InvalidValue {
    /// Empty where the type is none that strings with names can be read into.
    pub(crate) name: String,
    /// What follows the name in a sentence.
    pub(crate) reason: String,
}

impl InvalidValue {
    pub(super) fn new(name: &str, reason: String) -> Self {
        Self { name: name.to_owned(), reason }
    }

    pub(super) fn expected(expected: &str, text: &str) -> Self {
        Self::new("", format!("must be {expected}, not `{text}`"))
    }

    /// Names the field, where serde has not.
    pub(super) fn of(mut self, name: String) -> Self {
        if self.name.is_empty() {
            self.name = name;
        }
        self
    }
}

impl Error for InvalidValue {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new("", format!("is wrong: {message}"))
    }

    fn invalid_type(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::invalid_value(unexpected, expected)
    }

    fn invalid_value(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let reason = match unexpected {
            Unexpected::Str(text) => format!("must be {expected}, not `{text}`"),
            Unexpected::Unsigned(number) => format!("must be {expected}, not `{number}`"),
            Unexpected::Signed(number) => format!("must be {expected}, not `{number}`"),
            _ => format!("must be {expected}"),
        };
        Self::new("", reason)
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        let choices: Vec<_> = expected.iter().map(|name| format!("`{name}`")).collect();
        Self::new("", format!("must be one of {}, not `{variant}`", choices.join(", ")))
    }

    fn unknown_field(field: &str, _: &'static [&'static str]) -> Self {
        Self::new(field, "is not known".to_owned())
    }

    fn missing_field(field: &'static str) -> Self {
        Self::new(field, "is missing".to_owned())
    }

    fn duplicate_field(field: &'static str) -> Self {
        Self::new(field, "is given twice".to_owned())
    }
}
