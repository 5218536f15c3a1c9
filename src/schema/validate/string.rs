//! Keywords of strings.

use serde_json::Value;

use super::{Checked, Checker, format, number, require};

impl<'s> Checker<'s> {
    pub(super) fn string(&mut self, keyword: &str, rule: &'s Value, text: &str) -> Checked {
        match keyword {
            "minLength" | "maxLength" => {
                number::check_count(keyword, rule, text.chars().count(), " characters")
            }
            "pattern" => match rule.as_str() {
                Some(pattern) => {
                    let holds = self.matches(pattern, text)?;
                    require(holds, "must match the pattern", rule, "")
                }
                None => Ok(()),
            },
            "format" => {
                let holds = rule.as_str().and_then(|format| format::matches(format, text));
                require(holds != Some(false), "must match the format", rule, "")
            }
            _ => Ok(()),
        }
    }
}
