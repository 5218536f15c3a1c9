//! Keywords that hold for values of any type, and those that combine schemas.

use serde_json::{Map, Value};

use super::{
    Checked, Checker, DIALECT, array::elements, equality::equal, object::entries, reference,
    require, violated,
};
use crate::schema::leaf::{joined, json, number};

/// How many bytes of alternatives a violation spells out, or a little more: alternatives within
/// alternatives would double the text with each level.
const SPELLED_OUT: usize = 300;

impl<'s> Checker<'s> {
    pub(super) fn any(
        &mut self,
        schema: &'s Map<String, Value>,
        keyword: &str,
        rule: &'s Value,
        instance: &Value,
    ) -> Checked {
        match keyword {
            "type" => has_type(rule, instance),
            "const" => require(equal(rule, instance), "must be", rule),
            "enum" => is_one_of(rule, instance),
            "$ref" | "$dynamicRef" => match rule.as_str() {
                Some(reference) => self.reference(reference, instance),
                None => Ok(()),
            },
            "allOf" => elements(rule).iter().try_for_each(|schema| self.check(schema, instance)),
            "anyOf" => self.alternatives(rule, instance, false),
            "oneOf" => self.alternatives(rule, instance, true),
            "not" => match self.check(rule, instance) {
                Ok(()) => require(false, "must not be valid against", rule),
                Err(_) => Ok(()),
            },
            "dependentSchemas" => {
                let mut named = entries(rule).filter(|(name, _)| instance.get(name).is_some());
                named.try_for_each(|(_, schema)| self.check(schema, instance))
            }
            _ => self.of_schema(schema, keyword, rule, instance),
        }
    }

    /// Keywords that need the schema that they are in.
    fn of_schema(
        &mut self,
        schema: &'s Map<String, Value>,
        keyword: &str,
        rule: &'s Value,
        instance: &Value,
    ) -> Checked {
        match keyword {
            "if" => {
                let holds = self.check(rule, instance).is_ok();
                match schema.get(if holds { "then" } else { "else" }) {
                    Some(schema) => self.check(schema, instance),
                    None => Ok(()),
                }
            }
            "unevaluatedProperties" if instance.is_object() => {
                self.unevaluated(schema, rule, instance)
            }
            "unevaluatedItems" if instance.is_array() => self.unevaluated(schema, rule, instance),
            "$schema" if rule != DIALECT => {
                self.stop("cannot be checked: only schemas of JSON Schema 2020-12 can")
            }
            "$id" if !self.root.as_object().is_some_and(|root| std::ptr::eq(root, schema)) => {
                self.stop("cannot be checked: a part of the schema has an `$id` of its own")
            }
            _ => Ok(()),
        }
    }

    /// The rules of all alternatives where none holds: any of them may be what was meant.
    fn alternatives(&mut self, rule: &'s Value, instance: &Value, only_one: bool) -> Checked {
        let mut held = 0;
        let (mut rules, mut more) = (String::new(), false);
        for schema in elements(rule) {
            match self.check(schema, instance) {
                Ok(()) if only_one => held += 1,
                Ok(()) => return Ok(()),
                Err(_) if rules.len() > SPELLED_OUT => more = true,
                Err(violation) => {
                    let or = if rules.is_empty() { "" } else { ", or " };
                    rules = match violation.path.as_str() {
                        "" => joined(&[&rules, or, &violation.rule]),
                        path => joined(&[&rules, or, "`", path, "` ", &violation.rule]),
                    };
                }
            }
        }
        match held {
            1 => Ok(()),
            0 if more => violated(joined(&[&rules, ", or others"])),
            0 => violated(rules),
            _ => violated("must be valid against only one of the alternatives in `oneOf`"),
        }
    }

    /// Follows a reference; the step that this takes ends those that lead back to themselves.
    fn reference(&mut self, reference: &str, instance: &Value) -> Checked {
        match reference::resolve(self.root, reference) {
            Some(schema) => self.check(schema, instance),
            None => self.stop(format!("cannot be checked: there is no schema `{reference}`")),
        }
    }
}

fn has_type(rule: &Value, instance: &Value) -> Checked {
    let fits = |name: &Value| match name.as_str() {
        Some("null") => instance.is_null(),
        Some("boolean") => instance.is_boolean(),
        Some("number") => instance.is_number(),
        Some("string") => instance.is_string(),
        Some("array") => instance.is_array(),
        Some("object") => instance.is_object(),
        Some("integer") => matches!(instance, Value::Number(it) if number::is_integer(it)),
        _ => false,
    };
    let kinds = match rule {
        Value::Array(kinds) => kinds,
        kind => std::slice::from_ref(kind),
    };
    if kinds.iter().any(fits) {
        return Ok(());
    }
    let kinds = kinds.iter().filter_map(Value::as_str).map(str::to_owned);
    violated(listed("must be of type ", kinds, " or "))
}

fn is_one_of(rule: &Value, instance: &Value) -> Checked {
    if elements(rule).iter().any(|value| equal(value, instance)) {
        return Ok(());
    }
    violated(listed("must be one of ", elements(rule).iter().map(json), ", "))
}

fn listed(text: &str, parts: impl Iterator<Item = String>, between: &str) -> String {
    let mut list = text.to_owned();
    for (index, part) in parts.enumerate() {
        list.push_str(if index == 0 { "" } else { between });
        list.push_str(&part);
    }
    list
}
