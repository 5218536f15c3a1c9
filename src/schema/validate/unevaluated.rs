//! `unevaluatedProperties` and `unevaluatedItems`: what no other keyword looked at.
//!
//! Nobody keeps a list of what was looked at, which all other keywords would have to pay for. The
//! schema is asked again instead, for each member or item, whether one of its keywords covers it.

use serde_json::{Map, Value};

use super::{Checked, Checker, array::elements, object::entries, reference};

/// A member or an item of a value.
#[derive(Clone, Copy)]
struct Part<'a> {
    whole: &'a Value,
    place: Place<'a>,
    value: &'a Value,
}

#[derive(Clone, Copy)]
enum Place<'a> {
    Name(&'a str),
    Index(usize),
}

impl<'s> Checker<'s> {
    /// Checks all parts of a value that no keyword beside `unevaluated…` covers.
    pub(super) fn unevaluated(
        &mut self,
        schema: &'s Map<String, Value>,
        rule: &'s Value,
        whole: &Value,
    ) -> Checked {
        match whole {
            Value::Object(members) => members.iter().try_for_each(|(name, value)| {
                let part = Part { whole, place: Place::Name(name), value };
                match self.covered_beside(schema, part) {
                    true => Ok(()),
                    false => self.member(rule, name, value),
                }
            }),
            Value::Array(items) => items.iter().enumerate().try_for_each(|(index, value)| {
                let part = Part { whole, place: Place::Index(index), value };
                match self.covered_beside(schema, part) {
                    true => Ok(()),
                    false => self.item(rule, index, value),
                }
            }),
            _ => Ok(()),
        }
    }

    fn covered_beside(&mut self, schema: &'s Map<String, Value>, part: Part<'_>) -> bool {
        let mut others = schema.iter().filter(|(keyword, _)| !keyword.starts_with("unevaluated"));
        others.any(|(keyword, rule)| self.covers(schema, keyword, rule, part))
    }

    /// Whether a schema holds for the whole and one of its keywords looked at the part.
    fn covered(&mut self, schema: &'s Value, part: Part<'_>) -> bool {
        let Value::Object(members) = schema else { return false };
        self.check(schema, part.whole).is_ok()
            && members.iter().any(|(keyword, rule)| self.covers(members, keyword, rule, part))
    }

    fn covers(
        &mut self,
        schema: &'s Map<String, Value>,
        keyword: &str,
        rule: &'s Value,
        part: Part<'_>,
    ) -> bool {
        match (keyword, part.place) {
            ("properties", Place::Name(name)) => rule.get(name).is_some(),
            ("patternProperties", Place::Name(name)) => {
                entries(rule).any(|(pattern, _)| self.matches(pattern, name).unwrap_or_default())
            }
            ("additionalProperties" | "unevaluatedProperties", Place::Name(_))
            | ("items" | "unevaluatedItems", Place::Index(_)) => true,
            ("prefixItems", Place::Index(index)) => index < elements(rule).len(),
            ("contains", Place::Index(_)) => self.check(rule, part.value).is_ok(),
            ("allOf" | "anyOf" | "oneOf", _) => {
                elements(rule).iter().any(|schema| self.covered(schema, part))
            }
            ("dependentSchemas", _) => entries(rule)
                .any(|(name, schema)| part.whole.get(name).is_some() && self.covered(schema, part)),
            ("if", _) => {
                let holds = self.check(rule, part.whole).is_ok();
                let branch = schema.get(if holds { "then" } else { "else" });
                (holds && self.covered(rule, part))
                    || branch.is_some_and(|schema| self.covered(schema, part))
            }
            ("$ref" | "$dynamicRef", _) => {
                let target = rule.as_str().and_then(|name| reference::resolve(self.root, name));
                target.is_some_and(|schema| self.covered(schema, part))
            }
            _ => false,
        }
    }
}
