//! Arguments that clients mirror in HTTP headers: the keyword `x-mcp-header` of a property.

use serde_json::{Map, Value, json};

const KEYWORD: &str = "x-mcp-header";

/// An argument that the client repeats in a header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HeaderParam {
    /// The names of the properties that lead to the argument.
    pub(crate) path: Vec<String>,
    /// The header is `Mcp-Param-` and this.
    pub(crate) header: String,
}

/// The header parameters of a schema: those that are reached through `properties`, which is the
/// only way that the protocol allows.
pub(crate) fn find(schema: &Value) -> Vec<HeaderParam> {
    let mut found = Vec::new();
    collect(schema, &mut Vec::new(), &mut |path, property| {
        if let Some(header) = property.get(KEYWORD).and_then(Value::as_str) {
            found.push(HeaderParam { path: path.to_vec(), header: header.to_owned() });
        }
    });
    found
}

/// Publishes optional header parameters with the one type that they have, since a list with `null`
/// is none that the protocol allows there.
pub(crate) fn publish(schema: &mut Value) {
    let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) else {
        return;
    };
    for property in properties.values_mut() {
        let annotated = property.get(KEYWORD).is_some();
        if let Some(Value::Array(kinds)) = property.get("type").filter(|_| annotated)
            && let [kind] = *kinds.iter().filter(|kind| *kind != "null").collect::<Vec<_>>()
        {
            property["type"] = kind.clone();
        }
        publish(property);
    }
}

/// Why clients would drop a tool for its header parameters.
pub(crate) fn problems(schema: &Value) -> Vec<String> {
    let mut problems = Vec::new();
    let mut headers: Vec<String> = Vec::new();
    let mut reached = 0;
    collect(schema, &mut Vec::new(), &mut |path, property| {
        let Some(header) = property.get(KEYWORD) else { return };
        reached += 1;
        let at = path.join(".");
        let name = header.as_str().unwrap_or_default().to_ascii_lowercase();
        if http::HeaderName::from_bytes(name.as_bytes()).is_err() {
            problems.push(format!("`{at}`: {header} is not the name of a header"));
        }
        if headers.contains(&name) {
            problems.push(format!("`{at}`: header {header} is declared twice"));
        }
        headers.push(name);
        if ![json!("string"), json!("integer"), json!("boolean")].contains(&property["type"]) {
            problems.push(format!(
                "`{at}`: only a string, an integer or a boolean can be repeated in a header"
            ));
        }
    });
    if count(schema) > reached {
        problems.push(format!(
            "`{KEYWORD}` may stand in a property of the arguments, or of an object within them that \
             is not behind `$ref`, lists or alternatives (`#[schemars(inline)]` helps)"
        ));
    }
    problems
}

/// Visits all properties that are reached through `properties` only.
fn collect<'a>(
    schema: &'a Value,
    path: &mut Vec<String>,
    visit: &mut impl FnMut(&[String], &'a Value),
) {
    let properties = schema.get("properties").and_then(Value::as_object);
    for (name, property) in properties.into_iter().flatten() {
        path.push(name.clone());
        visit(path, property);
        collect(property, path, visit);
        path.pop();
    }
}

/// How often the keyword stands anywhere.
fn count(schema: &Value) -> usize {
    match schema {
        Value::Object(members) => {
            let here = usize::from(members.contains_key(KEYWORD) && !is_names(members));
            here + members.values().map(count).sum::<usize>()
        }
        Value::Array(items) => items.iter().map(count).sum(),
        _ => 0,
    }
}

/// Whether an object maps names to schemas: one of the names may be that of the keyword.
fn is_names(members: &Map<String, Value>) -> bool {
    members.get(KEYWORD).is_some_and(Value::is_object)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t6_header_parameters_are_reached_through_properties_only() {
        let annotated = json!({ "type": "string", "x-mcp-header": "Region" });
        let direct = json!({ "properties": { "region": annotated } });
        let nested = json!({ "properties": { "filter": direct } });
        assert_eq!(find(&direct)[0].path, ["region"]);
        assert_eq!(find(&nested)[0].path, ["filter", "region"]);
        assert!(problems(&direct).is_empty() && problems(&nested).is_empty());
        let inside = json!({ "x-mcp-header": "A", "type": "string" });
        for misplaced in [
            json!({ "properties": { "a": { "items": inside } } }),
            json!({ "properties": { "a": { "anyOf": [inside] } } }),
            json!({ "properties": { "a": { "$ref": "#/$defs/A" } }, "$defs": { "A": inside } }),
            json!({ "if": { "properties": { "a": inside } } }),
        ] {
            assert_eq!(find(&misplaced), [], "{misplaced}");
            assert_eq!(problems(&misplaced).len(), 1, "{misplaced}");
        }
    }

    #[test]
    fn t6_names_and_types_are_those_that_clients_accept() {
        let property = |header: Value, kind: Value| json!({ "type": kind, "x-mcp-header": header });
        let of = |a: Value, b: Value| problems(&json!({ "properties": { "a": a, "b": b } }));
        let good = property(json!("A"), json!("integer"));
        assert!(of(good.clone(), property(json!("B"), json!("boolean"))).is_empty());
        for bad in [
            property(json!("a"), json!("string")),
            property(json!(""), json!("string")),
            property(json!("x y"), json!("string")),
            property(json!(7), json!("string")),
            property(json!("B"), json!("number")),
            property(json!("B"), json!("object")),
            property(json!("B"), json!(["string", "null"])),
            json!({ "x-mcp-header": "B" }),
        ] {
            assert_eq!(of(good.clone(), bad.clone()).len(), 1, "{bad}");
        }
    }

    #[test]
    fn t6_optional_header_parameters_have_one_type() {
        let mut schema = json!({ "properties": {
            "a": { "type": ["string", "null"], "x-mcp-header": "A" },
            "b": { "type": ["string", "null"] },
        } });
        publish(&mut schema);
        assert_eq!(schema["properties"]["a"]["type"], "string");
        assert_eq!(schema["properties"]["b"]["type"], json!(["string", "null"]));
        assert!(problems(&schema).is_empty());
    }
}
