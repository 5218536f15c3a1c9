//! Regular expressions, by the feature `pattern`. Without it, only those can be checked that are
//! the keys of a Rust map of integers.

use super::{Checker, Violation};

#[cfg(feature = "pattern")]
use engine as backend;
#[cfg(not(feature = "pattern"))]
use no_engine as backend;

pub(super) use backend::Patterns;

/// Why a pattern cannot be checked, where it cannot.
pub(crate) fn why_not(pattern: &str) -> Option<String> {
    backend::Patterns::default().matches(pattern, "").err()
}

impl<'s> Checker<'s> {
    /// Whether a text has a match anywhere.
    pub(super) fn matches(&mut self, pattern: &'s str, text: &str) -> Result<bool, Violation> {
        // Each is work: patterns are tried on every member, without a subschema that would count.
        self.spend(1 + text.len() / 16);
        if self.steps == 0 {
            return self.stop(super::TOO_LONG).map(|()| false);
        }
        match self.patterns.matches(pattern, text) {
            Ok(matches) => Ok(matches),
            Err(why) => self
                .stop(format!("cannot be checked: the pattern `{pattern}` {why}"))
                .map(|()| false),
        }
    }
}

#[cfg(feature = "pattern")]
mod engine {
    use regex_lite::Regex;

    /// The patterns that were met, compiled once each.
    #[derive(Debug, Default)]
    pub(crate) struct Patterns<'s>(Vec<(&'s str, Regex)>);

    impl<'s> Patterns<'s> {
        pub(super) fn matches(&mut self, pattern: &'s str, text: &str) -> Result<bool, String> {
            if let Some((_, regex)) = self.0.iter().find(|(known, _)| *known == pattern) {
                return Ok(regex.is_match(text));
            }
            let regex =
                Regex::new(pattern).map_err(|error| format!("cannot be compiled: {error}"))?;
            let matches = regex.is_match(text);
            self.0.push((pattern, regex));
            Ok(matches)
        }
    }
}

#[cfg(not(feature = "pattern"))]
mod no_engine {
    use std::marker::PhantomData;

    #[derive(Debug, Default)]
    pub(crate) struct Patterns<'s>(PhantomData<&'s str>);

    impl<'s> Patterns<'s> {
        pub(super) fn matches(&mut self, pattern: &'s str, text: &str) -> Result<bool, String> {
            let digits = match pattern {
                r"^\d+$" => text,
                r"^-?\d+$" => text.strip_prefix('-').unwrap_or(text),
                _ => return Err("needs the feature `pattern` of the crate `midge`".to_owned()),
            };
            Ok(!digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()))
        }
    }
}
