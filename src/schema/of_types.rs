//! What the schema of a Rust type says that reading the type does not check: a range or a format
//! is an attribute for `schemars`, of which `serde` knows nothing.

use serde_json::{Map, Value};

/// What serde checks by itself, and what only describes.
const CHECKED: [&str; 24] = [
    "$comment",
    "$defs",
    "$ref",
    "$schema",
    "additionalProperties",
    "allOf",
    "anyOf",
    "const",
    "contentEncoding",
    "contentMediaType",
    "default",
    "deprecated",
    "description",
    "enum",
    "examples",
    "items",
    "oneOf",
    "prefixItems",
    "properties",
    "readOnly",
    "required",
    "title",
    "type",
    "writeOnly",
];

/// The limits that schemars writes for types of integers, by their formats.
const LIMITS: [(&str, i64, i64); 4] = [
    ("int8", i8::MIN as i64, i8::MAX as i64),
    ("int16", i16::MIN as i64, i16::MAX as i64),
    ("uint8", 0, u8::MAX as i64),
    ("uint16", 0, u16::MAX as i64),
];

/// The JSON pointers of keywords that only a validator checks, in a schema that was generated and
/// still has the formats of numbers.
pub(crate) fn unchecked_by_type(schema: &Value) -> Vec<String> {
    let mut found = Vec::new();
    walk(schema, "#", &mut found);
    found
}

fn walk(schema: &Value, at: &str, found: &mut Vec<String>) {
    let Value::Object(members) = schema else { return };
    for (keyword, rule) in members {
        let place = format!("{at}/{keyword}");
        if !is_checked(members, keyword, rule) {
            found.push(place);
            continue;
        }
        match (keyword.as_str(), rule) {
            ("$defs" | "properties" | "patternProperties", Value::Object(schemas)) => {
                for (name, schema) in schemas {
                    walk(schema, &format!("{place}/{name}"), found);
                }
            }
            ("allOf" | "anyOf" | "oneOf" | "prefixItems", Value::Array(schemas)) => {
                for (index, schema) in schemas.iter().enumerate() {
                    walk(schema, &format!("{place}/{index}"), found);
                }
            }
            ("items" | "additionalProperties", schema) => walk(schema, &place, found),
            _ => {}
        }
    }
}

fn is_checked(schema: &Map<String, Value>, keyword: &str, rule: &Value) -> bool {
    let format = schema.get("format").and_then(Value::as_str).unwrap_or_default();
    let limits = LIMITS.iter().find(|(name, ..)| *name == format);
    match keyword {
        "minimum" if format.starts_with("uint") => rule.as_i64() == Some(0),
        "minimum" => limits.is_some_and(|(_, least, _)| rule.as_i64() == Some(*least)),
        "maximum" => limits.is_some_and(|(.., most)| rule.as_i64() == Some(*most)),
        "format" => {
            ["int", "uint"].iter().any(|prefix| format.starts_with(prefix))
                || matches!(format, "float" | "double")
        }
        // A tuple; an array of a fixed length looks like a list with a length.
        "minItems" | "maxItems" => {
            let tuple = schema.get("prefixItems").and_then(Value::as_array).map(Vec::len);
            tuple.is_some_and(|length| rule.as_u64() == Some(length as u64))
        }
        // The keys of a map of integers.
        "patternProperties" => rule.as_object().is_some_and(|patterns| {
            patterns.keys().all(|pattern| matches!(pattern.as_str(), r"^\d+$" | r"^-?\d+$"))
        }),
        _ => keyword.starts_with("x-") || CHECKED.contains(&keyword),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, HashSet};

    use schemars::JsonSchema;

    use super::*;
    use crate::schema::of_input;

    #[test]
    fn t4_what_types_check_is_told_from_what_they_do_not() {
        #[derive(JsonSchema)]
        #[expect(dead_code, reason = "only its schema is looked at")]
        enum Kind {
            Plain,
            Wide { by: u8, names: BTreeMap<u32, String> },
        }
        #[derive(JsonSchema)]
        #[schemars(deny_unknown_fields)]
        #[expect(dead_code, reason = "only its schema is looked at")]
        struct Plain {
            kind: Kind,
            count: Option<i16>,
            ratio: f32,
            pair: (u64, bool),
            list: Vec<Kind>,
            map: BTreeMap<String, usize>,
        }
        assert_eq!(unchecked_by_type(&of_input::<Plain>()), [""; 0]);

        #[derive(JsonSchema)]
        #[expect(dead_code, reason = "only its schema is looked at")]
        struct Ruled {
            #[schemars(range(min = 0, max = 10))]
            signed: i64,
            #[schemars(range(max = 10))]
            short: u8,
            #[schemars(length(min = 1), email)]
            text: String,
            set: HashSet<String>,
            #[schemars(inner(range(min = 2)))]
            many: Vec<u32>,
        }
        assert_eq!(
            unchecked_by_type(&of_input::<Ruled>()),
            [
                "#/properties/many/items/minimum",
                "#/properties/set/uniqueItems",
                "#/properties/short/maximum",
                "#/properties/signed/maximum",
                "#/properties/signed/minimum",
                "#/properties/text/format",
                "#/properties/text/minLength",
            ]
        );
    }
}
