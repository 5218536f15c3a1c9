//! JSON Schemas of argument and result types, generated for `tools/list` and for a tool whose schema is
//! enforced.

pub(crate) mod flat;
pub(crate) mod form;
pub(crate) mod from_json;
pub(crate) mod from_strings;
pub(crate) mod header_params;
pub(crate) mod invalid;
mod leaf;
mod of_types;
mod problems;
mod validate;

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

pub(crate) use invalid::{InvalidValue, NOT_TEXT};
pub(crate) use of_types::unchecked_by_type;
pub(crate) use problems::problems;
pub(crate) use validate::{Violation, validate};

/// A schema that is made when it is asked for.
pub(crate) type MakeSchema = fn() -> Value;

/// What a caller must send for `T`. Formats of numbers are still there, by which the limits of
/// types can be told from those that an author set.
pub(crate) fn of_input<T: JsonSchema>() -> Value {
    tidy(
        SchemaSettings::draft2020_12()
            .for_deserialize()
            .into_generator()
            .into_root_schema_for::<T>(),
    )
}

/// What a caller gets for `T`.
pub(crate) fn of_output<T: JsonSchema>() -> Value {
    let settings = SchemaSettings::draft2020_12().for_serialize();
    let mut schema = tidy(settings.into_generator().into_root_schema_for::<T>());
    without_number_formats(&mut schema);
    schema
}

/// Leaves out what a client knows anyway: the dialect is the default one, and the title is the
/// name of a Rust type.
fn tidy(schema: schemars::Schema) -> Value {
    let mut schema = schema.to_value();
    if let Some(root) = schema.as_object_mut() {
        remove(root, &["$schema", "title"]);
    }
    schema
}

/// Removes members. By `Map::remove`, a component would have 4 KB more: nothing else that all
/// servers link takes a map apart.
fn remove(from: &mut Map<String, Value>, names: &[&str]) {
    if names.iter().any(|name| from.contains_key(*name)) {
        let members = std::mem::take(from).into_iter();
        members.filter(|(name, _)| !names.contains(&name.as_str())).for_each(|(name, value)| {
            from.insert(name, value);
        });
    }
}

/// Sets a member. Once in a component.
#[inline(never)]
fn set(root: &mut Map<String, Value>, name: &str, value: Value) {
    root.insert(name.to_owned(), value);
}

/// Leaves out formats like `uint32`, which are no part of JSON Schema: clients warn of each.
pub(crate) fn without_number_formats(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            let is_number = |kind: &str| kind == "integer" || kind == "number";
            let numeric = match members.get("type") {
                Some(Value::String(kind)) => is_number(kind),
                Some(Value::Array(kinds)) => kinds.iter().filter_map(Value::as_str).any(is_number),
                _ => false,
            };
            if numeric {
                remove(members, &["format"]);
            }
            members.values_mut().for_each(without_number_formats);
        }
        Value::Array(items) => items.iter_mut().for_each(without_number_formats),
        _ => {}
    }
}

/// Leaves out what a type says of itself to readers of its code.
pub(crate) fn without_description(schema: &mut schemars::Schema) {
    schema.remove("description");
}

/// Makes the root say `"type": "object"`, as the protocol asks of input schemas, where it can: an
/// `enum` whose variants are all objects has `oneOf` and no type.
pub(crate) fn with_object_root(mut schema: Value) -> Value {
    if let Some(root) = schema.as_object_mut()
        && !root.contains_key("type")
        && ["oneOf", "anyOf", "allOf", "$ref"].iter().any(|key| root.contains_key(*key))
    {
        set(root, "type", json!("object"));
    }
    schema
}

/// Keywords for alternatives. Large model APIs refuse them at the root of an input schema.
const COMPOSITION: [&str; 3] = ["oneOf", "anyOf", "allOf"];

/// Makes an object say which members it has, also where that is none: model APIs refuse a schema
/// without `properties`. One that says nothing else allows no other members.
pub(crate) fn with_properties(mut schema: Value) -> Value {
    const OTHERS: [&str; 5] = ["properties", "$ref", "oneOf", "anyOf", "allOf"];
    if is_object(&schema)
        && let Some(root) = schema.as_object_mut()
        && !OTHERS.iter().any(|key| root.contains_key(*key))
    {
        if root.len() == 1 + usize::from(root.contains_key("description")) {
            set(root, "additionalProperties", Value::Bool(false));
        }
        set(root, "properties", Value::Object(Map::new()));
    }
    schema
}

/// Why large model APIs refuse a tool with this input schema. A schema of the author's own may have
/// alternatives at its root: they are meant, and not all clients pass them to such an API.
pub(crate) fn model_problems(schema: &Value, is_own: bool) -> Vec<String> {
    let composed: Vec<_> = COMPOSITION.iter().filter(|key| schema.get(**key).is_some()).collect();
    if composed.is_empty() && is_object(schema) && schema.get("properties").is_none() {
        let reason = "large model APIs refuse an input schema without `properties`; `{}` is enough";
        return vec![reason.to_owned()];
    }
    let problem = |key| {
        format!(
            "large model APIs refuse `{key}` at the root of an input schema: put the choice into a \
             member, as `struct Arguments {{ shape: Shape }}`, or write a schema without it for \
             `Tool::input_schema`"
        )
    };
    composed.into_iter().filter(|_| !is_own).map(problem).collect()
}

pub(crate) fn is_object(schema: &Value) -> bool {
    schema.get("type").and_then(Value::as_str) == Some("object")
}

/// Writes `true` as `{}` and `false` as `{"not": {}}` wherever a property's schema is one of them,
/// for clients whose protocol version knows objects only.
pub(crate) fn without_booleans(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            if let Some(Value::Object(properties)) = members.get_mut("properties") {
                properties.values_mut().for_each(boolean_to_object);
            }
            members.values_mut().for_each(without_booleans);
        }
        Value::Array(items) => items.iter_mut().for_each(without_booleans),
        _ => {}
    }
}

fn boolean_to_object(schema: &mut Value) {
    match schema {
        Value::Bool(true) => *schema = json!({}),
        Value::Bool(false) => *schema = json!({ "not": {} }),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generated_schemas_say_no_more_than_they_must() {
        #[derive(JsonSchema)]
        #[expect(dead_code, reason = "only its schema is looked at")]
        struct Greet {
            /// Who to greet.
            name: String,
            times: Option<u8>,
        }
        let mut schema = of_input::<Greet>();
        without_number_formats(&mut schema);
        assert_eq!(
            schema,
            json!({
                "type": "object",
                "properties": {
                    "name": { "type": "string", "description": "Who to greet." },
                    "times": { "type": ["integer", "null"], "minimum": 0, "maximum": 255 },
                },
                "required": ["name"],
            })
        );
    }

    #[test]
    fn enums_of_objects_get_an_object_root() {
        #[derive(JsonSchema)]
        #[expect(dead_code, reason = "only its schema is looked at")]
        enum Shape {
            Circle { radius: f64 },
            Square { side: f64 },
        }
        assert!(is_object(&with_object_root(of_input::<Shape>())));
        assert!(!is_object(&with_object_root(of_input::<String>())));
    }

    #[test]
    fn a3_objects_say_which_members_they_have() {
        let published = |schema: Value| with_properties(with_object_root(schema));
        let bare = json!({ "type": "object", "properties": {}, "additionalProperties": false });
        #[derive(JsonSchema)]
        struct Empty {}
        assert_eq!(published(of_input::<Empty>()), bare);
        assert_eq!(published(of_input::<crate::NoArguments>()), bare);
        assert_eq!(
            published(of_input::<std::collections::BTreeMap<String, String>>()),
            json!({
                "type": "object",
                "properties": {},
                "additionalProperties": { "type": "string" },
            })
        );
        assert_eq!(published(of_input::<Map<String, Value>>())["properties"], json!({}));
        let text = of_input::<String>();
        assert_eq!(published(text.clone()), text);
        let choice = json!({ "type": "object", "oneOf": [{ "required": ["a"] }] });
        assert_eq!(published(choice.clone()), choice, "which `additionalProperties` would break");
    }

    #[test]
    fn l11_boolean_property_schemas_become_objects() {
        let mut schema = json!({
            "properties": { "any": true, "none": false },
            "$defs": { "inner": { "properties": { "deep": true } } },
            "additionalProperties": false,
        });
        without_booleans(&mut schema);
        assert_eq!(
            schema,
            json!({
                "properties": { "any": {}, "none": { "not": {} } },
                "$defs": { "inner": { "properties": { "deep": {} } } },
                "additionalProperties": false,
            })
        );
    }
}
