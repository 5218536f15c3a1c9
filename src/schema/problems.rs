//! Keywords of a schema that the validator cannot enforce, reported to the author.

use serde_json::{Map, Value};

use super::leaf::format;
use super::validate::{DIALECT, resolve, why_pattern_fails};

const TYPES: [&str; 7] = ["null", "boolean", "number", "integer", "string", "array", "object"];

/// Formats that JSON Schema 2020-12 defines and nothing here checks. Names that it does not define
/// are notes to readers.
const UNCHECKED_FORMATS: [&str; 10] = [
    "duration",
    "idn-email",
    "idn-hostname",
    "iri",
    "iri-reference",
    "json-pointer",
    "regex",
    "relative-json-pointer",
    "uri-reference",
    "uri-template",
];

/// Finds what is malformed or cannot be enforced, each with the JSON pointer of its place.
pub(crate) fn problems(schema: &Value) -> Vec<String> {
    let mut reader = Reader { root: schema, problems: Vec::new() };
    reader.schema(schema, "#");
    reader.problems
}

struct Reader<'s> {
    root: &'s Value,
    problems: Vec<String>,
}

impl Reader<'_> {
    fn schema(&mut self, schema: &Value, at: &str) {
        match schema {
            Value::Object(members) => {
                for (keyword, rule) in members {
                    let place = format!("{at}/{}", escaped(keyword));
                    if let Err(why) = self.keyword(keyword, rule, at, &place) {
                        self.problems.push(format!("`{place}` {why}"));
                    }
                }
            }
            Value::Bool(_) => {}
            _ => self.problems.push(format!("`{at}` must be a schema: an object or a boolean")),
        }
    }

    fn keyword(
        &mut self,
        keyword: &str,
        rule: &Value,
        at: &str,
        place: &str,
    ) -> Result<(), String> {
        match keyword {
            "additionalProperties"
            | "contains"
            | "else"
            | "if"
            | "items"
            | "not"
            | "propertyNames"
            | "then"
            | "unevaluatedItems"
            | "unevaluatedProperties" => {
                self.schema(rule, place);
                Ok(())
            }
            "allOf" | "anyOf" | "oneOf" | "prefixItems" => self.list(rule, place),
            "$defs" | "dependentSchemas" | "patternProperties" | "properties" => {
                self.members(rule, place, keyword == "patternProperties")
            }
            "$ref" | "$dynamicRef" => {
                let reference = string(rule)?;
                let resolved = resolve(self.root, reference).is_some();
                let why = || format!("cannot be resolved within the schema: {reference}");
                resolved.then_some(()).ok_or_else(why)
            }
            "$schema" if at != "#" || rule != DIALECT => {
                Err(format!("must be {DIALECT} and at the root, or left out"))
            }
            "$id" => must(at == "#", "is allowed at the root only"),
            _ => assertion(keyword, rule),
        }
    }

    fn list(&mut self, rule: &Value, place: &str) -> Result<(), String> {
        let schemas = rule.as_array().filter(|schemas| !schemas.is_empty());
        for (index, schema) in schemas.ok_or("must be a list of schemas")?.iter().enumerate() {
            self.schema(schema, &format!("{place}/{index}"));
        }
        Ok(())
    }

    fn members(&mut self, rule: &Value, place: &str, are_patterns: bool) -> Result<(), String> {
        for (name, schema) in object(rule)? {
            let place = format!("{place}/{}", escaped(name));
            if are_patterns && let Some(why) = why_pattern_fails(name) {
                self.problems.push(format!("`{place}` {why}"));
            }
            self.schema(schema, &place);
        }
        Ok(())
    }
}

/// Keywords without schemas in them.
fn assertion(keyword: &str, rule: &Value) -> Result<(), String> {
    match keyword {
        "type" => {
            let kinds = match rule {
                Value::Array(kinds) => kinds,
                kind => std::slice::from_ref(kind),
            };
            let is_type = |kind: &Value| kind.as_str().is_some_and(|kind| TYPES.contains(&kind));
            must(!kinds.is_empty() && kinds.iter().all(is_type), "must name types of JSON")
        }
        "enum" => must(rule.is_array(), "must be a list of values"),
        "required" => names(rule),
        "dependentRequired" => object(rule)?.values().try_for_each(names),
        "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum" => {
            must(rule.is_number(), "must be a number")
        }
        "multipleOf" => {
            must(rule.as_f64().is_some_and(|number| number > 0.0), "must be a number above 0")
        }
        "minContains" | "maxContains" | "minItems" | "maxItems" | "minLength" | "maxLength"
        | "minProperties" | "maxProperties" => {
            let count = rule.as_f64().is_some_and(|count| count >= 0.0 && count.trunc() == count);
            must(count, "must be an integer that is not negative")
        }
        "uniqueItems" => must(rule.is_boolean(), "must be true or false"),
        "pattern" => why_pattern_fails(string(rule)?).map_or(Ok(()), Err),
        "format" => {
            let name = string(rule)?;
            let unchecked = !format::is_known(name) && UNCHECKED_FORMATS.contains(&name);
            must(!unchecked, "is a format that is not checked here")
        }
        "$recursiveRef" | "additionalItems" | "dependencies" => {
            Err("is no keyword of JSON Schema 2020-12 any more".to_owned())
        }
        _ => Ok(()),
    }
}

fn must(holds: bool, what: &str) -> Result<(), String> {
    if holds { Ok(()) } else { Err(what.to_owned()) }
}

fn names(rule: &Value) -> Result<(), String> {
    let names = rule.as_array().is_some_and(|names| names.iter().all(Value::is_string));
    must(names, "must be a list of names")
}

fn object(rule: &Value) -> Result<&Map<String, Value>, String> {
    rule.as_object().ok_or_else(|| "must be an object".to_owned())
}

fn string(rule: &Value) -> Result<&str, String> {
    rule.as_str().ok_or_else(|| "must be a string".to_owned())
}

/// A name as a step of a JSON pointer.
fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn t4_what_cannot_be_enforced_is_reported_with_its_place() {
        let schema = json!({
            "$schema": "http://json-schema.org/draft-07/schema#",
            "$ref": "https://example.com/a.json",
            "properties": {
                "a/b": { "minimum": "3", "exclusiveMaximum": true, "type": "int" },
                "c": { "items": [{ "type": "string" }], "format": "duration" },
                "d": { "$id": "d", "anyOf": [{ "required": "a" }, 1] },
            },
            "dependencies": {},
        });
        assert_eq!(
            problems(&schema),
            [
                "`#/$ref` cannot be resolved within the schema: https://example.com/a.json",
                "`#/$schema` must be https://json-schema.org/draft/2020-12/schema and at the root, or left out",
                "`#/dependencies` is no keyword of JSON Schema 2020-12 any more",
                "`#/properties/a~1b/exclusiveMaximum` must be a number",
                "`#/properties/a~1b/minimum` must be a number",
                "`#/properties/a~1b/type` must name types of JSON",
                "`#/properties/c/format` is a format that is not checked here",
                "`#/properties/c/items` must be a schema: an object or a boolean",
                "`#/properties/d/$id` is allowed at the root only",
                "`#/properties/d/anyOf/0/required` must be a list of names",
                "`#/properties/d/anyOf/1` must be a schema: an object or a boolean",
            ]
        );
    }

    #[test]
    fn t3_schemas_that_can_be_enforced_have_no_problems() {
        let schema = json!({
            "$schema": DIALECT,
            "$id": "https://example.com/root",
            "$comment": "x",
            "type": ["object", "null"],
            "properties": { "a": { "$ref": "#/$defs/a" }, "b": true, "c": { "format": "uint8" } },
            "$defs": { "a": { "$anchor": "a", "multipleOf": 0.5, "maxLength": 2.0 } },
            "not": { "$ref": "#a" },
            "dependentRequired": { "a": ["b"] },
            "unevaluatedProperties": false,
            "x-own": 1,
        });
        assert_eq!(problems(&schema), [""; 0]);
    }

    #[test]
    fn t4_patterns_are_reported_where_they_cannot_be_checked() {
        let schema = json!({ "pattern": "(?=a)", "patternProperties": { "(?=b)": true } });
        let problems = problems(&schema);
        assert_eq!(problems.len(), 2, "{problems:?}");
        assert!(problems[0].starts_with("`#/pattern` "), "{problems:?}");
        assert!(problems[1].starts_with("`#/patternProperties/(?=b)` "), "{problems:?}");
    }
}
