//! Arguments of a prompt: as clients list them, derived from the argument type, and as they come.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::protocol::prompt::PromptArgument;
use crate::schema::flat::{self, Member};
use crate::schema::from_strings;
use crate::schema::invalid::InvalidValue;

/// Reads arguments into their type. Clients send `""` for a field that was left empty: where it is no
/// value of the field's type, as it is one of a text, the argument is absent.
pub(super) fn read<A: DeserializeOwned>(
    mut arguments: Vec<(String, String)>,
) -> Result<A, InvalidValue> {
    loop {
        let error = match from_strings::read(arguments.clone()) {
            Ok(read) => return Ok(read),
            Err(error) => error,
        };
        let empty = |(name, text): &(String, String)| text.is_empty() && name == error.path();
        let Some(empty) = arguments.iter().position(empty) else { return Err(error) };
        arguments.remove(empty);
    }
}

/// The arguments in the order of [`flat::members`]: required ones first. Says of each that
/// cannot come as a string why not.
pub(super) fn of_schema(schema: &Value) -> Result<Vec<PromptArgument>, Vec<String>> {
    let Some(members) = flat::members(schema) else {
        return Err(vec!["the arguments must be a struct with named fields".to_owned()]);
    };
    let problems: Vec<_> = members.iter().filter_map(|member| problem(schema, member)).collect();
    if problems.is_empty() {
        Ok(members.into_iter().map(argument).collect())
    } else {
        Err(problems)
    }
}

fn argument(member: Member) -> PromptArgument {
    let text = |key: &str| member.schema.get(key).and_then(Value::as_str).map(str::to_owned);
    let (title, description) = (text("title"), text("description"));
    PromptArgument { name: member.name, title, description, required: member.required }
}

fn problem(root: &Value, member: &Member) -> Option<String> {
    let kind = not_a_string(root, &member.schema, 4)?;
    Some(format!("argument `{}` is {kind}, and clients send strings only", member.name))
}

/// What a value is that cannot be written as a string, or not always. Choices among choices are
/// looked into only so deep: a type may refer to itself.
fn not_a_string(root: &Value, schema: &Map<String, Value>, depth: u8) -> Option<&'static str> {
    if depth == 0 || schema.contains_key("$ref") {
        return Some("a type that refers to itself");
    }
    let by_type = match schema.get("type") {
        Some(Value::Array(kinds)) => kinds.iter().find_map(not_a_string_type),
        Some(kind) => not_a_string_type(kind),
        None => None,
    };
    by_type.or_else(|| {
        let keys = ["anyOf", "oneOf", "allOf"].iter();
        let mut choices = keys.filter_map(|key| schema.get(*key)?.as_array()).flatten();
        choices.find_map(|choice| not_a_string(root, &flat::resolved(root, choice).0, depth - 1))
    })
}

fn not_a_string_type(kind: &Value) -> Option<&'static str> {
    match kind.as_str()? {
        "object" => Some("an object"),
        "array" => Some("a list"),
        "null" => Some("nothing"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

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

    #[test]
    fn a8_an_empty_string_is_absent_where_it_is_no_value() {
        #[derive(Debug, PartialEq, serde::Deserialize)]
        #[serde(rename_all = "lowercase")]
        enum Size {
            Small,
        }
        #[derive(Debug, PartialEq, serde::Deserialize)]
        struct Order {
            name: String,
            note: Option<String>,
            count: Option<u8>,
            sure: Option<bool>,
            size: Option<Size>,
            #[serde(default)]
            page: u64,
        }
        let given = |pairs: &[(&str, &str)]| {
            let pairs = pairs.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
            read::<Order>(pairs.collect()).map_err(|error| error.to_string())
        };
        let names = ["name", "note", "count", "sure", "size", "page"];
        let empty = Order {
            name: String::new(),
            note: Some(String::new()),
            count: None,
            sure: None,
            size: None,
            page: 0,
        };
        assert_eq!(given(&names.map(|name| (name, ""))), Ok(empty));
        let small = given(&[("name", "x"), ("size", "small"), ("count", "")]).unwrap();
        assert_eq!((small.size, small.count), (Some(Size::Small), None));
        let wrong = given(&[("name", ""), ("count", "many")]).unwrap_err();
        assert_eq!(wrong, "`count` must be a whole number from 0 to 255, not `many`");
        #[derive(Debug, serde::Deserialize)]
        struct Required {
            #[expect(dead_code, reason = "never read")]
            count: u8,
        }
        let missing = read::<Required>(vec![("count".to_owned(), String::new())]).unwrap_err();
        assert_eq!(missing.to_string(), "`count` is missing");
    }

    #[test]
    fn p1_arguments_are_listed_with_their_docs() {
        #[derive(JsonSchema)]
        #[expect(dead_code, reason = "only its schema is looked at")]
        struct Letter {
            /// Who gets it.
            #[schemars(title = "Recipient")]
            to: String,
            tone: Tone,
            /// Of the paper.
            copies: Option<u8>,
            #[serde(default)]
            draft: bool,
        }
        let arguments = of_schema(&of_input::<Letter>()).unwrap();
        assert_eq!(
            serde_json::to_value(arguments).unwrap(),
            json!([
                { "name": "to", "title": "Recipient", "description": "Who gets it.", "required": true },
                { "name": "tone", "required": true },
                { "name": "copies", "description": "Of the paper.", "required": false },
                { "name": "draft", "required": false },
            ])
        );
    }

    #[test]
    fn p1_no_arguments_are_an_empty_list() {
        assert_eq!(of_schema(&of_input::<crate::NoArguments>()), Ok(Vec::new()));
    }

    #[test]
    fn p1_what_cannot_come_as_a_string_is_refused_by_name() {
        #[derive(JsonSchema)]
        #[expect(dead_code, reason = "only its schema is looked at")]
        struct Inner {
            deep: u8,
        }
        #[derive(JsonSchema)]
        #[expect(dead_code, reason = "only its schema is looked at")]
        enum Mixed {
            Plain,
            Number(u8),
        }
        #[derive(JsonSchema)]
        #[expect(dead_code, reason = "only its schema is looked at")]
        struct Tree {
            next: Option<Box<Tree>>,
        }
        #[derive(JsonSchema)]
        #[expect(dead_code, reason = "only its schema is looked at")]
        struct Odd {
            fine: Option<f64>,
            anything: Value,
            inner: Inner,
            list: Option<Vec<u8>>,
            map: BTreeMap<String, u8>,
            mixed: Mixed,
            tree: Tree,
            unit: (),
        }
        let mut problems = of_schema(&of_input::<Odd>()).unwrap_err();
        problems.sort();
        let expected = [
            ("inner", "an object"),
            ("list", "a list"),
            ("map", "an object"),
            ("mixed", "an object"),
            ("tree", "an object"),
            ("unit", "nothing"),
        ]
        .map(|(name, kind)| format!("argument `{name}` is {kind}, and clients send strings only"));
        assert_eq!(problems, expected);
        assert!(of_schema(&of_input::<Vec<String>>()).is_err());
        let endless = json!({
            "type": "object",
            "properties": { "a": { "$ref": "#/$defs/a" } },
            "$defs": { "a": { "$ref": "#/$defs/a" } },
        });
        assert!(of_schema(&endless).is_err());
        let wide = json!({
            "type": "object",
            "properties": { "a": { "$ref": "#/$defs/a" } },
            "$defs": { "a": { "anyOf": [{ "$ref": "#/$defs/a" }, { "type": "string" }] } },
        });
        assert!(of_schema(&wide).is_err());
    }
}
