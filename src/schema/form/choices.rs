//! Choices of a form, read from the two ways in which a schema lists values: the `enum` of plain
//! variants, and the `oneOf` of variants with docs.

use serde_json::{Map, Value, json};

use super::unsupported::{NO_FIELD, no_more};
use crate::schema::flat;

/// What one may choose from.
#[derive(Default)]
pub(super) struct Choices {
    /// Values, and titles where they have one.
    options: Vec<(String, Option<String>)>,
    /// Titles in the way of the protocol's older revisions, which clients still read.
    legacy_names: Option<Value>,
}

impl Choices {
    /// Takes the keywords that list choices out of a schema; `None` if there are none.
    pub(super) fn take(
        root: &Value,
        from: &mut Map<String, Value>,
    ) -> Result<Option<Self>, String> {
        let mut choices = Self::default();
        if from.contains_key("enum") || from.contains_key("const") {
            choices.take_values(from, None)?;
            choices.legacy_names = from.remove("enumNames");
        } else if let Some(branches) = from.remove("oneOf").or_else(|| from.remove("anyOf")) {
            for branch in branches.as_array().into_iter().flatten() {
                choices.take_branch(root, branch)?;
            }
        } else {
            return Ok(None);
        }
        let names = choices.legacy_names.as_ref().map(|names| names.as_array().map(Vec::len));
        match choices.options.len() {
            0 => Err("has no choices".to_owned()),
            length if names.is_some_and(|names| names != Some(length)) => {
                Err("has not as many `enumNames` as choices".to_owned())
            }
            _ => Ok(Some(choices)),
        }
    }

    /// A choice with a title, which is what the docs of an enum's variant are for a form.
    fn take_branch(&mut self, root: &Value, branch: &Value) -> Result<(), String> {
        let (mut branch, _) = flat::resolved(root, branch);
        let (title, description) = (branch.remove("title"), branch.remove("description"));
        let title = title.or(description);
        self.take_values(&mut branch, title.as_ref().and_then(Value::as_str))?;
        branch.remove("type");
        no_more(&branch)
    }

    fn take_values(
        &mut self,
        from: &mut Map<String, Value>,
        title: Option<&str>,
    ) -> Result<(), String> {
        let values = match (from.remove("enum"), from.remove("const")) {
            (Some(Value::Array(values)), _) => values,
            (_, Some(value)) => vec![value],
            _ => return Err(NO_FIELD.to_owned()),
        };
        for value in values {
            let Value::String(value) = value else {
                return Err("choices in a form are strings".to_owned());
            };
            self.options.push((value, title.map(str::to_owned)));
        }
        Ok(())
    }

    /// The keywords of the form; `titled` is what a list with titles is under.
    pub(super) fn into_schema(self, titled: &str) -> Map<String, Value> {
        let mut schema = Map::new();
        if self.options.iter().all(|(_, title)| title.is_none()) {
            let values = self.options.into_iter().map(|(value, _)| Value::String(value));
            schema.insert("enum".to_owned(), values.collect());
        } else {
            let options = self.options.into_iter().map(|(value, title)| {
                json!({ "title": title.as_ref().unwrap_or(&value), "const": value })
            });
            schema.insert(titled.to_owned(), options.collect());
        }
        schema.extend(self.legacy_names.map(|names| ("enumNames".to_owned(), names)));
        schema
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use schemars::JsonSchema;

    use super::*;
    use crate::schema::form::from_type::{form, form_of};

    #[derive(JsonSchema)]
    #[serde(rename_all = "lowercase")]
    #[expect(dead_code, reason = "only its schema is looked at")]
    enum Colour {
        Red,
        Green,
    }

    /// How to send it.
    #[derive(JsonSchema)]
    #[expect(dead_code, reason = "only its schema is looked at")]
    enum Delivery {
        /// By lorry, in a week
        Slow,
        /// By air, tomorrow
        #[schemars(title = "Air")]
        Fast,
        Never,
    }

    fn fields<T: JsonSchema>() -> Value {
        form_of::<T>().unwrap()["properties"].clone()
    }

    #[test]
    fn e12_1_enums_become_choices_and_their_docs_titles() {
        #[derive(JsonSchema)]
        #[expect(dead_code, reason = "only its schema is looked at")]
        struct Parcel {
            colour: Colour,
            second: Option<Colour>,
            /// Of this parcel.
            delivery: Option<Delivery>,
        }
        let colour = json!({ "type": "string", "enum": ["red", "green"] });
        assert_eq!(
            fields::<Parcel>(),
            json!({
                "colour": colour,
                "second": colour,
                "delivery": {
                    "type": "string",
                    "description": "Of this parcel.",
                    "oneOf": [
                        { "const": "Never", "title": "Never" },
                        { "const": "Slow", "title": "By lorry, in a week" },
                        { "const": "Fast", "title": "Air" },
                    ],
                },
            })
        );
    }

    #[test]
    fn e12_1_lists_of_enums_become_lists_of_choices() {
        #[derive(JsonSchema)]
        #[expect(dead_code, reason = "only its schema is looked at")]
        struct Many {
            #[schemars(length(min = 1, max = 2))]
            list: Vec<Colour>,
            set: Option<BTreeSet<Colour>>,
            titled: Vec<Delivery>,
        }
        let items = json!({ "type": "string", "enum": ["red", "green"] });
        assert_eq!(
            fields::<Many>(),
            json!({
                "list": { "type": "array", "items": items, "minItems": 1, "maxItems": 2 },
                "set": { "type": "array", "items": items },
                "titled": { "type": "array", "items": { "anyOf": [
                    { "const": "Never", "title": "Never" },
                    { "const": "Slow", "title": "By lorry, in a week" },
                    { "const": "Fast", "title": "Air" },
                ] } },
            })
        );
    }

    #[test]
    fn e12_1_all_five_kinds_of_choices_are_kept() {
        let titled = json!([
            { "const": "value1", "title": "First" },
            { "const": "value2", "title": "Second" },
        ]);
        let choices = json!({
            "type": "object",
            "properties": {
                "untitledSingle": { "type": "string", "enum": ["option1", "option2"] },
                "titledSingle": { "type": "string", "oneOf": titled },
                "legacyEnum": {
                    "type": "string",
                    "enum": ["opt1", "opt2"],
                    "enumNames": ["Option One", "Option Two"],
                },
                "untitledMulti": {
                    "type": "array",
                    "items": { "type": "string", "enum": ["option1", "option2"] },
                    "default": ["option2"],
                },
                "titledMulti": { "type": "array", "items": { "anyOf": titled }, "minItems": 1 },
            },
            "required": ["titledMulti"],
        });
        assert_eq!(form(&choices), Ok(choices));
    }
}
