//! Keywords of strings.

use serde_json::Value;

use super::{Checked, Checker, require, violated};
use crate::schema::leaf;

impl<'s> Checker<'s> {
    pub(super) fn string(&mut self, keyword: &str, rule: &'s Value, text: &str) -> Checked {
        match (keyword, rule) {
            ("pattern", Value::String(pattern)) => {
                let holds = self.matches(pattern, text)?;
                require(holds, "must match the pattern", rule)
            }
            _ => leaf::check_text(keyword, rule, text).or_else(violated),
        }
    }
}
