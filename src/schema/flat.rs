//! The members of a struct, by the schema that was made of it, for what the protocol wants flat:
//! the arguments of prompts and the fields of forms.

use std::borrow::Cow;

use serde_json::{Map, Value};

/// References that are followed for one member. Types that refer to themselves are not flat.
const REFERENCES: usize = 8;

/// A member of an object.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Member {
    pub(crate) name: String,
    /// References are followed, and that it may be `null` is left out.
    pub(crate) schema: Map<String, Value>,
    /// An `Option` is not, unless schemars is told so.
    pub(crate) required: bool,
}

/// The members of an object; `None` for what is no object.
///
/// Those that are required come first, in the order in which they are declared, which `required`
/// keeps. The others follow in the order of the schema's map: by name, unless the server's crate
/// turns on `preserve_order` of `serde_json` and of `schemars`.
pub(crate) fn members(root: &Value) -> Option<Vec<Member>> {
    if !crate::schema::is_object(root) {
        return None;
    }
    let required: Vec<&str> = match root.get("required") {
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    let Some(Value::Object(properties)) = root.get("properties") else { return Some(Vec::new()) };
    let optional = properties.keys().map(String::as_str).filter(|name| !required.contains(name));
    let member = |name: &str| {
        let (schema, nullable) = resolved(root, properties.get(name)?);
        let required = !nullable && required.contains(&name);
        Some(Member { name: name.to_owned(), schema, required })
    };
    Some(required.iter().copied().chain(optional).filter_map(member).collect())
}

/// A schema without references to the root's definitions and without `null`, and whether it had
/// `null`. What stands beside a reference goes before what it refers to.
pub(crate) fn resolved(root: &Value, schema: &Value) -> (Map<String, Value>, bool) {
    let mut schema = match schema {
        Value::Object(members) => members.clone(),
        // `true` and `false`; nothing is `false` that serde can read.
        _ => Map::new(),
    };
    let mut nullable = false;
    for _ in 0..REFERENCES {
        nullable |= remove_null(&mut schema);
        let Some(inner) = inner(root, &mut schema) else { break };
        let Value::Object(mut members) = inner.into_owned() else { break };
        members.extend(schema);
        schema = members;
    }
    (schema, nullable)
}

/// Takes out what a schema only stands for: a reference, or the one choice that is left.
fn inner<'a>(root: &'a Value, schema: &mut Map<String, Value>) -> Option<Cow<'a, Value>> {
    if let Some(Value::String(reference)) = schema.get("$ref") {
        let found = root.pointer(reference.strip_prefix('#')?)?;
        schema.remove("$ref");
        return Some(Cow::Borrowed(found));
    }
    for key in ["anyOf", "oneOf", "allOf"] {
        if matches!(schema.get(key), Some(Value::Array(choices)) if choices.len() == 1)
            && let Some(Value::Array(mut choices)) = schema.remove(key)
        {
            return choices.pop().map(Cow::Owned);
        }
    }
    None
}

/// Takes `null` out of everything that lists what a value may be. Whether there was one.
fn remove_null(schema: &mut Map<String, Value>) -> bool {
    let mut found = false;
    for key in ["type", "enum", "anyOf", "oneOf"] {
        let Some(Value::Array(choices)) = schema.get_mut(key) else { continue };
        let before = choices.len();
        choices.retain(|choice| {
            let is_null = match key {
                "type" => choice == "null",
                "enum" => choice.is_null(),
                _ => choice.get("type").is_some_and(|kind| kind == "null"),
            };
            !is_null
        });
        found |= choices.len() < before;
    }
    if let Some(Value::Array(kinds)) = schema.get_mut("type")
        && kinds.len() == 1
        && let Some(kind) = kinds.pop()
    {
        schema.insert("type".to_owned(), kind);
    }
    found
}

#[cfg(test)]
mod tests {
    use schemars::JsonSchema;
    use serde_json::json;

    use super::*;
    use crate::schema::of_input;

    #[derive(JsonSchema)]
    #[expect(dead_code, reason = "only its schema is looked at")]
    enum Tone {
        Formal,
        Casual,
    }

    /// How loud.
    #[derive(JsonSchema)]
    #[expect(dead_code, reason = "only its schema is looked at")]
    enum Loudness {
        /// Quiet.
        Low,
        /// Loud.
        High,
    }

    #[derive(JsonSchema)]
    #[expect(dead_code, reason = "only its schema is looked at")]
    struct Flat {
        zone: String,
        tone: Tone,
        /// The field's own words.
        loudness: Option<Loudness>,
        maybe: Option<Tone>,
        count: Option<u8>,
        #[schemars(required)]
        also: Option<bool>,
        area: bool,
    }

    #[test]
    fn required_members_come_first_as_declared() {
        let members = members(&of_input::<Flat>()).unwrap();
        let names: Vec<_> = members.iter().map(|member| member.name.as_str()).collect();
        assert_eq!(names, ["zone", "tone", "also", "area", "count", "loudness", "maybe"]);
        let required = members.iter().map(|member| member.required);
        assert_eq!(required.collect::<Vec<_>>(), [true, true, true, true, false, false, false]);
    }

    #[test]
    fn references_are_followed_and_null_is_left_out() {
        let members = members(&of_input::<Flat>()).unwrap();
        let schema = |name: &str| {
            let member = members.iter().find(|member| member.name == name).unwrap();
            Value::Object(member.schema.clone())
        };
        let tone = json!({ "type": "string", "enum": ["Formal", "Casual"] });
        assert_eq!(schema("tone"), tone);
        assert_eq!(schema("maybe"), tone);
        let byte = json!({ "type": "integer", "format": "uint8", "minimum": 0, "maximum": 255 });
        assert_eq!(schema("count"), byte);
        assert_eq!(
            schema("loudness"),
            json!({
                "description": "The field's own words.",
                "oneOf": [
                    { "type": "string", "const": "Low", "description": "Quiet." },
                    { "type": "string", "const": "High", "description": "Loud." },
                ],
            })
        );
    }

    #[test]
    fn references_end() {
        let root = json!({
            "type": "object",
            "properties": { "loop": { "$ref": "#/$defs/a" }, "lost": { "$ref": "#/$defs/none" } },
            "$defs": { "a": { "$ref": "#/$defs/a" } },
        });
        assert_eq!(members(&root).unwrap().len(), 2);
        assert_eq!(members(&json!({ "type": "string" })), None);
        assert_eq!(members(&json!(true)), None);
    }
}
