//! The restricted schema of a form, made from a type.
//!
//! Clients draw the form from it, so the protocol has no more than they can draw: a flat object of
//! strings, numbers, booleans, choices and lists of choices. What a type wants beyond that is
//! refused by name: a form that asks for less than the type needs would be filled in for nothing.
//! Left out is only what changes no answer: notes, formats of numbers, `uniqueItems` of sets (a
//! form offers each choice once), and that an `Option` may be `null` (its field may be left empty).

use schemars::JsonSchema;
use serde_json::{Map, Value, json};

use super::choices::Choices;
use super::unsupported::{NO_FIELD, is_note, no_more};
use super::validate_form;
use crate::schema::flat::{self, Member};

/// What may stand beside the fields and says nothing of them.
const BESIDE_FIELDS: [&str; 10] = [
    "$defs",
    "$id",
    "$schema",
    "additionalProperties",
    "definitions",
    "description",
    "properties",
    "required",
    "type",
    "unevaluatedProperties",
];

const FORMATS: [&str; 4] = ["email", "uri", "date", "date-time"];

/// Why a type cannot be asked for by a form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidForm {
    /// The type is not a struct with named fields.
    #[error("a form is a struct with named fields")]
    NotAStruct,
    /// The type says more of its fields than what each of them is.
    #[error("`{keyword}` beside the fields is more than a form can ask for")]
    Keyword {
        /// The keyword of JSON Schema that says it.
        keyword: String,
    },
    /// A field is one that no form can ask for.
    #[error("field `{field}`: {reason}")]
    Field {
        /// The field's name, as it is in JSON.
        field: String,
        /// What is wrong with it.
        reason: String,
    },
}

/// The form that asks for a `T`.
pub(crate) fn form_of<T: JsonSchema>() -> Result<Value, InvalidForm> {
    form(&crate::schema::of_input::<T>())
}

/// The form that asks for what a JSON Schema describes.
pub(crate) fn form(schema: &Value) -> Result<Value, InvalidForm> {
    let members = flat::members(schema).ok_or(InvalidForm::NotAStruct)?;
    let mut keywords = schema.as_object().into_iter().flat_map(Map::keys);
    let is_more = |key: &&String| !is_note(key) && !BESIDE_FIELDS.contains(&key.as_str());
    if let Some(keyword) = keywords.find(is_more) {
        return Err(InvalidForm::Keyword { keyword: keyword.clone() });
    }
    let mut fields = Map::new();
    let mut required = Vec::new();
    for Member { name, schema: member, required: is_required } in members {
        let field = field(schema, member)
            .map_err(|reason| InvalidForm::Field { field: name.clone(), reason })?;
        fields.insert(name.clone(), Value::Object(field));
        if is_required {
            required.push(name);
        }
    }
    let mut form = Map::new();
    form.insert("type".to_owned(), json!("object"));
    form.insert("properties".to_owned(), Value::Object(fields));
    if !required.is_empty() {
        form.insert("required".to_owned(), json!(required));
    }
    Ok(Value::Object(form))
}

/// One field. Everything is moved from the type's schema to the form's; what is left over is more
/// than a form can say.
fn field(root: &Value, mut from: Map<String, Value>) -> Result<Map<String, Value>, String> {
    let mut to = Map::new();
    copy(&mut from, &mut to, &["title", "description", "default"]);
    if to.get("default").is_some_and(Value::is_null) {
        to.remove("default");
    }
    let kind = from.remove("type");
    let kind = kind.as_ref().and_then(Value::as_str);
    if let Some(choices) = Choices::take(root, &mut from)? {
        to.insert("type".to_owned(), json!("string"));
        to.extend(choices.into_schema("oneOf"));
    } else {
        let kind = kind.ok_or(NO_FIELD)?;
        match kind {
            "string" => string(&mut from, &mut to)?,
            "integer" | "number" => number(kind, &mut from, &mut to),
            "boolean" => {}
            "array" => list(root, &mut from, &mut to)?,
            _ => return Err(NO_FIELD.to_owned()),
        }
        to.insert("type".to_owned(), json!(kind));
    }
    no_more(&from)?;
    if let Some(default) = to.get("default")
        && let Err(reason) = validate_form::value(&to, default)
    {
        return Err(format!("its default {reason}"));
    }
    Ok(to)
}

fn string(from: &mut Map<String, Value>, to: &mut Map<String, Value>) -> Result<(), String> {
    copy(from, to, &["minLength", "maxLength", "format"]);
    match to.get("format").and_then(Value::as_str) {
        Some(format) if !FORMATS.contains(&format) => {
            Err(format!("a form knows no format `{format}`, only {}", FORMATS.join(", ")))
        }
        _ => Ok(()),
    }
}

fn number(kind: &str, from: &mut Map<String, Value>, to: &mut Map<String, Value>) {
    from.remove("format");
    copy(from, to, &["minimum", "maximum"]);
    if kind == "integer" {
        // The next integer is as good a bound; a fraction has no next one.
        include(from, to, "exclusiveMinimum", "minimum", 1);
        include(from, to, "exclusiveMaximum", "maximum", -1);
    }
}

/// Turns an exclusive bound of integers into an inclusive one; the narrower bound stays.
fn include(
    from: &mut Map<String, Value>,
    to: &mut Map<String, Value>,
    exclusive: &str,
    inclusive: &str,
    step: i64,
) {
    let Some(bound) = from.get(exclusive).and_then(Value::as_i64) else { return };
    let Some(bound) = bound.checked_add(step) else { return };
    from.remove(exclusive);
    let other = to.get(inclusive).and_then(Value::as_f64);
    if other.is_none_or(|other| (bound as f64 - other) * step as f64 > 0.0) {
        to.insert(inclusive.to_owned(), json!(bound));
    }
}

fn list(
    root: &Value,
    from: &mut Map<String, Value>,
    to: &mut Map<String, Value>,
) -> Result<(), String> {
    from.remove("uniqueItems");
    copy(from, to, &["minItems", "maxItems"]);
    let items = from.remove("items").ok_or(NO_FIELD)?;
    let (mut items, _) = flat::resolved(root, &items);
    let choices = Choices::take(root, &mut items)?.ok_or(NO_FIELD)?;
    items.remove("type");
    items.remove("description");
    no_more(&items)?;
    let mut items = choices.into_schema("anyOf");
    if items.contains_key("enum") {
        items.insert("type".to_owned(), json!("string"));
    }
    to.insert("items".to_owned(), Value::Object(items));
    Ok(())
}

fn copy(from: &mut Map<String, Value>, to: &mut Map<String, Value>, keys: &[&str]) {
    for key in keys {
        if let Some(value) = from.remove(*key) {
            to.insert((*key).to_owned(), value);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use schemars::JsonSchema;

    use super::*;

    #[track_caller]
    fn refused(field: Value, reason: &str) {
        let schema = json!({ "type": "object", "properties": { "f": field } });
        let error = form(&schema).unwrap_err().to_string();
        assert_eq!(error, format!("field `f`: {reason}"));
    }

    #[test]
    fn e12_1_a_struct_becomes_a_flat_object() {
        /// Not for clients.
        #[derive(JsonSchema)]
        #[serde(deny_unknown_fields)]
        #[expect(dead_code, reason = "only its schema is looked at")]
        struct Order {
            /// Your name.
            #[schemars(title = "Name", length(min = 1, max = 80))]
            name: String,
            #[schemars(email)]
            mail: String,
            amount: u8,
            #[schemars(range(min = 0.5, max = 9.5))]
            weight: Option<f64>,
            gift: bool,
            note: Option<String>,
        }
        assert_eq!(
            form_of::<Order>(),
            Ok(json!({
                "type": "object",
                "properties": {
                    "name": {
                        "type": "string",
                        "title": "Name",
                        "description": "Your name.",
                        "minLength": 1,
                        "maxLength": 80,
                    },
                    "mail": { "type": "string", "format": "email" },
                    "amount": { "type": "integer", "minimum": 0, "maximum": 255 },
                    "weight": { "type": "number", "minimum": 0.5, "maximum": 9.5 },
                    "gift": { "type": "boolean" },
                    "note": { "type": "string" },
                },
                "required": ["name", "mail", "amount", "gift"],
            }))
        );
        assert_eq!(
            form_of::<crate::NoArguments>(),
            Ok(json!({ "type": "object", "properties": {} }))
        );
    }

    #[test]
    fn e12_1_defaults_are_kept_and_must_fit() {
        let with_defaults = json!({
            "type": "object",
            "properties": {
                "name": { "type": "string", "default": "John Doe" },
                "age": { "type": "integer", "default": 30 },
                "score": { "type": "number", "default": 95.5 },
                "status": {
                    "type": "string",
                    "enum": ["active", "inactive", "pending"],
                    "default": "active",
                },
                "verified": { "type": "boolean", "default": true },
            },
        });
        assert_eq!(form(&with_defaults), Ok(with_defaults));
        refused(json!({ "type": "string", "default": 1 }), "its default must be a string");
        refused(
            json!({ "type": "string", "enum": ["a"], "default": "b" }),
            "its default must be one of the choices",
        );
        refused(
            json!({ "type": "integer", "maximum": 1, "default": 2 }),
            "its default must be at most 1",
        );
        let null = json!({ "type": "object", "properties": {
            "f": { "type": ["string", "null"], "default": null },
        } });
        assert_eq!(form(&null).unwrap()["properties"]["f"], json!({ "type": "string" }));
    }

    #[test]
    fn e12_1_exclusive_bounds_of_integers_become_inclusive() {
        let number = |field: Value| {
            form(&json!({ "type": "object", "properties": { "f": field } }))
                .map(|form| form["properties"]["f"].clone())
        };
        assert_eq!(
            number(json!({ "type": "integer", "exclusiveMinimum": 0, "exclusiveMaximum": 10 })),
            Ok(json!({ "type": "integer", "minimum": 1, "maximum": 9 }))
        );
        assert_eq!(
            number(json!({
                "type": "integer",
                "minimum": 5, "exclusiveMinimum": 0,
                "maximum": 255, "exclusiveMaximum": 10,
            })),
            Ok(json!({ "type": "integer", "minimum": 5, "maximum": 9 }))
        );
        refused(
            json!({ "type": "number", "exclusiveMinimum": 0 }),
            "`exclusiveMinimum` is more than a form can ask for",
        );
        refused(
            json!({ "type": "integer", "exclusiveMaximum": i64::MIN }),
            "`exclusiveMaximum` is more than a form can ask for",
        );
    }

    #[test]
    fn e12_1_what_is_not_flat_is_refused_by_name() {
        #[derive(JsonSchema)]
        #[expect(dead_code, reason = "only its schema is looked at")]
        struct Address {
            street: String,
        }
        #[derive(JsonSchema)]
        #[expect(dead_code, reason = "only its schema is looked at")]
        enum Mixed {
            Plain,
            Number(u8),
        }
        fn refused<T: JsonSchema>() {
            #[derive(JsonSchema)]
            #[expect(dead_code, reason = "only its schema is looked at")]
            struct Of<T> {
                address: T,
            }
            assert_eq!(
                form_of::<Of<T>>().unwrap_err().to_string(),
                "field `address`: a form has strings, numbers, booleans, choices and lists of \
                 choices only",
                "{}",
                T::schema_name()
            );
        }
        refused::<Address>();
        refused::<Option<Address>>();
        refused::<Mixed>();
        refused::<Vec<String>>();
        refused::<Vec<Address>>();
        refused::<BTreeMap<String, u8>>();
        refused::<(u8, u8)>();
        refused::<()>();
        refused::<Value>();
        assert_eq!(form_of::<String>(), Err(InvalidForm::NotAStruct));
        assert_eq!(form_of::<Vec<Address>>(), Err(InvalidForm::NotAStruct));
        assert_eq!(
            form(&json!({ "type": "object", "oneOf": [] })).unwrap_err().to_string(),
            "`oneOf` beside the fields is more than a form can ask for"
        );
    }

    #[test]
    fn e12_1_what_a_form_cannot_say_is_refused_not_dropped() {
        let more = |key: &str| format!("`{key}` is more than a form can ask for");
        refused(json!({ "type": "string", "pattern": "a" }), &more("pattern"));
        refused(json!({ "type": "integer", "multipleOf": 2 }), &more("multipleOf"));
        refused(json!({ "type": "string", "not": {} }), &more("not"));
        refused(
            json!({ "type": "array", "items": { "enum": ["a"], "minLength": 1 } }),
            &more("minLength"),
        );
        refused(json!({ "type": "integer", "enum": [1, 2] }), "choices in a form are strings");
        refused(json!({ "type": "string", "enum": [] }), "has no choices");
        refused(
            json!({ "type": "string", "enum": ["a"], "enumNames": [] }),
            "has not as many `enumNames` as choices",
        );
        refused(
            json!({ "type": "string", "format": "uuid" }),
            "a form knows no format `uuid`, only email, uri, date, date-time",
        );
        let notes = json!({ "type": "object", "properties": {
            "f": { "type": "string", "deprecated": true, "examples": ["a"], "x-order": 1 },
        } });
        assert_eq!(form(&notes).unwrap()["properties"]["f"], json!({ "type": "string" }));
    }
}
