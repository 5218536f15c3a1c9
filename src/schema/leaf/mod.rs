//! Checks of single numbers and strings, the same for all that make them: the validator of schemas,
//! forms, and typed values from named strings.
//!
//! A check takes one keyword of JSON Schema and says in words what must hold. Where the value is,
//! and which keywords apply, the caller knows.

pub(crate) mod format;
pub(crate) mod number;

use serde_json::{Number, Value};

use number::compare;

/// `Err` has what must hold, as the end of a sentence about the value.
pub(crate) type Checked = Result<(), String>;

/// Checks a number by one keyword.
pub(crate) fn check_number(keyword: &str, rule: &Value, number: &Number) -> Checked {
    let Value::Number(limit) = rule else { return Ok(()) };
    let order = compare(number, limit);
    let (holds, text) = match keyword {
        "minimum" => (order.is_ge(), "must be at least"),
        "maximum" => (order.is_le(), "must be at most"),
        "exclusiveMinimum" => (order.is_gt(), "must be more than"),
        "exclusiveMaximum" => (order.is_lt(), "must be less than"),
        "multipleOf" => (number::is_multiple(number, limit), "must be a multiple of"),
        _ => return Ok(()),
    };
    require(holds, text, rule, "")
}

/// Checks a string by one keyword. `pattern` is not among them: it takes an engine.
pub(crate) fn check_text(keyword: &str, rule: &Value, text: &str) -> Checked {
    match keyword {
        "minLength" | "maxLength" => {
            check_count(keyword, rule, text.chars().count(), " characters")
        }
        "format" => {
            let holds = rule.as_str().and_then(|format| format::matches(format, text));
            require(holds != Some(false), "must match the format", rule, "")
        }
        _ => Ok(()),
    }
}

/// Checks a count of characters, items or members by a keyword that starts with `min` or `max`.
pub(crate) fn check_count(keyword: &str, rule: &Value, count: usize, unit: &str) -> Checked {
    let Value::Number(limit) = rule else { return Ok(()) };
    let order = compare(&Number::from(count), limit);
    let least = keyword.starts_with("min");
    let text = if least { "must have at least" } else { "must have at most" };
    require(if least { order.is_ge() } else { order.is_le() }, text, rule, unit)
}

/// Says what must hold, with the keyword's value and its unit.
pub(crate) fn require(holds: bool, text: &str, rule: &Value, unit: &str) -> Checked {
    if holds { Ok(()) } else { Err(joined(&[text, " ", &json(rule), unit])) }
}

/// Like `concat`, which would be 1.3 KB more of component.
pub(crate) fn joined(parts: &[&str]) -> String {
    parts.iter().copied().collect()
}

/// A value as JSON.
pub(crate) fn json(value: &Value) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
