//! Validation of a form that the user filled in. Clients should validate, too, but need not.
//!
//! Does not use the validator of schemas, which would add 25 KB to a component with forms
//! (`examples/elicitation`: 550,419 bytes instead of 525,401). A form has no references,
//! alternatives or nesting. Single values are checked by the same code as in the validator.

use serde_json::{Map, Value};

use crate::schema::leaf::{self, Checked, number::whole};

/// Which field of an answer is wrong, and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{field}` {reason}")]
pub(crate) struct FormViolation {
    /// Empty for the answer as a whole.
    pub(crate) field: String,
    /// What follows the name in a sentence.
    pub(crate) reason: String,
}

/// Compares an answer with a form that [`form`](super::from_type::form) made. What was not asked for is
/// tolerated; a form has no `null`, so a field that was left empty is one that is not there.
pub(crate) fn validate_form(form: &Value, content: &Value) -> Result<(), FormViolation> {
    let violation = |field: &str, reason| FormViolation { field: field.to_owned(), reason };
    let Some(content) = content.as_object() else {
        return Err(violation("", "must be an object".to_owned()));
    };
    let required = form.get("required").and_then(Value::as_array).into_iter().flatten();
    let mut required = required.filter_map(Value::as_str);
    if let Some(name) = required.find(|name| !content.contains_key(*name)) {
        return Err(violation(name, "is missing".to_owned()));
    }
    let fields = form.get("properties").and_then(Value::as_object).into_iter().flatten();
    for (name, field) in fields {
        if let (Some(field), Some(given)) = (field.as_object(), content.get(name)) {
            value(field, given).map_err(|reason| violation(name, reason))?;
        }
    }
    Ok(())
}

/// Compares a value with a field of a form.
pub(super) fn value(field: &Map<String, Value>, value: &Value) -> Checked {
    let kind = field.get("type").and_then(Value::as_str).unwrap_or_default();
    let mut keywords = field.iter();
    match (kind, value) {
        ("string", Value::String(text)) => {
            one_of(field, text)?;
            keywords.try_for_each(|(keyword, rule)| leaf::check_text(keyword, rule, text))
        }
        // Beyond 64 bits, no integer type takes what is an integer to JSON Schema.
        ("integer", Value::Number(number)) if whole(number, i64::MIN, u64::MAX).is_none() => {
            wrong_type(kind)
        }
        ("integer" | "number", Value::Number(number)) => {
            keywords.try_for_each(|(keyword, rule)| leaf::check_number(keyword, rule, number))
        }
        ("array", Value::Array(items)) => list(field, items),
        ("boolean", Value::Bool(_)) => Ok(()),
        _ => wrong_type(kind),
    }
}

fn wrong_type(kind: &str) -> Checked {
    let rule = match kind {
        "string" => "must be a string",
        "integer" => "must be a whole number",
        "number" => "must be a number",
        "boolean" => "must be true or false",
        "array" => "must be a list",
        _ => return Ok(()),
    };
    Err(rule.to_owned())
}

fn list(field: &Map<String, Value>, items: &[Value]) -> Checked {
    for keyword in ["minItems", "maxItems"] {
        if let Some(rule) = field.get(keyword) {
            leaf::check_count(keyword, rule, items.len(), " items")?;
        }
    }
    for item in items {
        let text = item.as_str().ok_or_else(|| "must be a list of strings".to_owned())?;
        if let Some(choices) = field.get("items").and_then(Value::as_object) {
            one_of(choices, text)?;
        }
    }
    Ok(())
}

/// Whether a text is among the choices of a schema, where it has some.
fn one_of(schema: &Map<String, Value>, text: &str) -> Checked {
    let choices = ["enum", "oneOf", "anyOf"].iter().find_map(|key| schema.get(*key)?.as_array());
    let is_text = |choice: &Value| choice.get("const").unwrap_or(choice) == text;
    match choices {
        Some(choices) if !choices.iter().any(is_text) => {
            Err("must be one of the choices".to_owned())
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn form() -> Value {
        json!({
            "type": "object",
            "properties": {
                "name": { "type": "string", "minLength": 2, "maxLength": 4 },
                "mail": { "type": "string", "format": "email" },
                "day": { "type": "string", "format": "date" },
                "age": { "type": "integer", "minimum": 0, "maximum": 255 },
                "score": { "type": "number", "maximum": 9.5 },
                "sure": { "type": "boolean" },
                "one": { "type": "string", "enum": ["a", "b"] },
                "titled": { "type": "string", "oneOf": [{ "const": "a", "title": "A" }] },
                "many": {
                    "type": "array",
                    "items": { "type": "string", "enum": ["a", "b", "c"] },
                    "minItems": 1,
                    "maxItems": 2,
                },
                "titledMany": {
                    "type": "array",
                    "items": { "anyOf": [{ "const": "a", "title": "A" }] },
                },
            },
            "required": ["name"],
        })
    }

    /// What is wrong with an answer that gives one field, besides the name.
    fn problem(field: &str, value: &Value) -> Option<String> {
        let mut content = json!({ "name": "Ann" });
        content[field] = value.clone();
        validate_form(&form(), &content).err().map(|violation| violation.to_string())
    }

    #[test]
    fn i5_answers_that_fit() {
        assert_eq!(validate_form(&form(), &json!({ "name": "Ann" })), Ok(()));
        for (field, value) in [
            ("name", json!("\u{fc}\u{fc}\u{fc}\u{fc}")),
            ("mail", json!("ann@example.com")),
            ("day", json!("2026-07-28")),
            ("age", json!(0)),
            ("age", json!(255)),
            ("age", json!(3.0)),
            ("score", json!(9.5)),
            ("score", json!(-3)),
            ("sure", json!(false)),
            ("one", json!("b")),
            ("titled", json!("a")),
            ("many", json!(["c", "a"])),
            ("titledMany", json!([])),
            ("titledMany", json!(["a"])),
            ("other", json!({ "deep": null })),
        ] {
            assert_eq!(problem(field, &value), None, "{field} {value}");
        }
    }

    #[test]
    fn i5_answers_that_do_not_fit_are_told_by_field() {
        for (field, value, reason) in [
            ("name", json!("A"), "must have at least 2 characters"),
            ("name", json!("Annie"), "must have at most 4 characters"),
            ("name", json!(null), "must be a string"),
            ("mail", json!("ann"), "must match the format \"email\""),
            ("day", json!("2026-02-30"), "must match the format \"date\""),
            ("age", json!(-1), "must be at least 0"),
            ("age", json!(256), "must be at most 255"),
            ("age", json!(1e30), "must be a whole number"),
            ("age", json!(1.5), "must be a whole number"),
            ("age", json!("1"), "must be a whole number"),
            ("score", json!(9.6), "must be at most 9.5"),
            ("score", json!("1"), "must be a number"),
            ("sure", json!("true"), "must be true or false"),
            ("one", json!("c"), "must be one of the choices"),
            ("one", json!(["a"]), "must be a string"),
            ("titled", json!("A"), "must be one of the choices"),
            ("many", json!([]), "must have at least 1 items"),
            ("many", json!(["a", "b", "c"]), "must have at most 2 items"),
            ("many", json!(["d"]), "must be one of the choices"),
            ("many", json!("a"), "must be a list"),
            ("many", json!([1]), "must be a list of strings"),
            ("titledMany", json!(["b"]), "must be one of the choices"),
        ] {
            let expected = Some(format!("`{field}` {reason}"));
            assert_eq!(problem(field, &value), expected, "{field} {value}");
        }
    }

    #[test]
    fn i5_required_fields_must_be_there() {
        let violation = validate_form(&form(), &json!({ "age": 1 })).unwrap_err();
        assert_eq!((violation.field.as_str(), violation.reason.as_str()), ("name", "is missing"));
        for content in [json!(null), json!([]), json!("Ann")] {
            assert_eq!(validate_form(&form(), &content).unwrap_err().reason, "must be an object");
        }
    }

    #[track_caller]
    fn same_as_validator(field: &Value, given: &Value) {
        let validated = crate::schema::validate(field, given).map_err(|violation| violation.rule);
        assert_eq!(value(field.as_object().unwrap(), given), validated, "{field} {given}");
    }

    #[test]
    fn i5_strings_are_checked_as_by_the_validator() {
        for format in ["email", "uri", "date", "date-time"] {
            for text in [
                "",
                "ann@example.com",
                "\"a b\"@x",
                "a@[127.0.0.1]",
                "a@[::1]",
                "a@b_c",
                "https://[::1]/a?b#c",
                "a:%2",
                "2024-02-29",
                "2023-02-29",
                "2026-07-28T23:59:60Z",
                "2026-07-28T12:00:60Z",
            ] {
                same_as_validator(&json!({ "type": "string", "format": format }), &json!(text));
            }
            let long = format!("{}@b", "a".repeat(65));
            same_as_validator(&json!({ "type": "string", "format": format }), &json!(long));
        }
        let length = json!({ "type": "string", "minLength": 1, "maxLength": 2 });
        for text in ["", "\u{fc}\u{fc}", "abc"] {
            same_as_validator(&length, &json!(text));
        }
    }

    #[test]
    fn i5_numbers_are_checked_as_by_the_validator() {
        let field = json!({ "type": "integer", "minimum": -1, "maximum": 9007199254740993_u64 });
        for number in [-2_i64, -1, 9007199254740992, 9007199254740993, 9007199254740994] {
            same_as_validator(&field, &json!(number));
        }
        same_as_validator(&field, &json!(u64::MAX));
        let field = json!({ "type": "number", "minimum": 0.5, "maximum": 9.5 });
        for number in [json!(0.4), json!(0.5), json!(1), json!(9.6), json!(10)] {
            same_as_validator(&field, &number);
        }
    }
}
