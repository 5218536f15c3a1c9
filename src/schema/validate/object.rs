//! Keywords of objects.

use serde_json::{Map, Value};

use super::{Checked, Checker, array::elements, check_count, violated};
use crate::error::excerpt;

impl<'s> Checker<'s> {
    pub(super) fn object(
        &mut self,
        schema: &'s Map<String, Value>,
        keyword: &str,
        rule: &'s Value,
        members: &Map<String, Value>,
    ) -> Checked {
        match keyword {
            "minProperties" | "maxProperties" => {
                check_count(keyword, rule, members.len(), " members")
            }
            "required" => all_there(rule, members),
            "dependentRequired" => {
                let mut named = entries(rule).filter(|(name, _)| members.contains_key(*name));
                named.try_for_each(|(_, required)| all_there(required, members))
            }
            "properties" => entries(rule).try_for_each(|(name, schema)| match members.get(name) {
                Some(value) => self.member(schema, name, value),
                None => Ok(()),
            }),
            "patternProperties" => entries(rule).try_for_each(|(pattern, schema)| {
                members.iter().try_for_each(|(name, value)| match self.matches(pattern, name)? {
                    true => self.member(schema, name, value),
                    false => Ok(()),
                })
            }),
            "additionalProperties" => members.iter().try_for_each(|(name, value)| {
                match self.is_declared(schema, name)? {
                    true => Ok(()),
                    false => self.member(rule, name, value),
                }
            }),
            "propertyNames" => members.keys().try_for_each(|name| {
                self.check(rule, &Value::from(name.as_str())).or_else(|violation| {
                    violated(format!("has the name `{}`, which {}", excerpt(name), violation.rule))
                })
            }),
            _ => Ok(()),
        }
    }

    pub(super) fn member(&mut self, schema: &'s Value, name: &str, value: &Value) -> Checked {
        self.check(schema, value).map_err(|violation| violation.within(name))
    }

    /// Whether `properties` or `patternProperties` have something to say of a member.
    pub(super) fn is_declared(
        &mut self,
        schema: &'s Map<String, Value>,
        name: &str,
    ) -> Result<bool, super::Violation> {
        if schema.get("properties").is_some_and(|properties| properties.get(name).is_some()) {
            return Ok(true);
        }
        for (pattern, _) in schema.get("patternProperties").into_iter().flat_map(entries) {
            if self.matches(pattern, name)? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

fn all_there(names: &Value, members: &Map<String, Value>) -> Checked {
    let mut names = elements(names).iter().filter_map(Value::as_str);
    match names.find(|name| !members.contains_key(*name)) {
        Some(name) => violated(format!("`{name}` is missing")),
        None => Ok(()),
    }
}

pub(super) fn entries(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}
