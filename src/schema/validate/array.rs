//! Keywords of arrays.

use serde_json::{Map, Value};

use super::{Checked, Checker, check_count, equality, violated};

impl<'s> Checker<'s> {
    pub(super) fn array(
        &mut self,
        schema: &'s Map<String, Value>,
        keyword: &str,
        rule: &'s Value,
        items: &[Value],
    ) -> Checked {
        match keyword {
            "minItems" | "maxItems" => check_count(keyword, rule, items.len(), " items"),
            "uniqueItems" if rule == &Value::Bool(true) => self.unique(items),
            "prefixItems" => {
                let mut pairs = elements(rule).iter().zip(items).enumerate();
                pairs.try_for_each(|(index, (schema, item))| self.item(schema, index, item))
            }
            "items" => {
                let rest = schema.get("prefixItems").map_or(0, |prefix| elements(prefix).len());
                let mut items = items.iter().enumerate().skip(rest);
                items.try_for_each(|(index, item)| self.item(rule, index, item))
            }
            "contains" => self.contains(schema, rule, items),
            _ => Ok(()),
        }
    }

    pub(super) fn item(&mut self, schema: &'s Value, index: usize, item: &Value) -> Checked {
        self.check(schema, item).map_err(|violation| violation.within(&format!("[{index}]")))
    }

    fn contains(
        &mut self,
        schema: &'s Map<String, Value>,
        rule: &'s Value,
        items: &[Value],
    ) -> Checked {
        let fitting = items.iter().filter(|item| self.check(rule, item).is_ok()).count();
        let unit = " items as `contains` describes them";
        let one = Value::from(1);
        let least = schema.get("minContains").unwrap_or(&one);
        check_count("minContains", least, fitting, unit)?;
        match schema.get("maxContains") {
            Some(most) => check_count("maxContains", most, fitting, unit),
            None => Ok(()),
        }
    }

    /// Keeps the items sorted, so that most lists cost little more than reading them does.
    fn unique(&mut self, items: &[Value]) -> Checked {
        let mut sorted: Vec<&Value> = Vec::with_capacity(items.len());
        for item in items {
            match sorted.binary_search_by(|other| equality::compare(other, item)) {
                Ok(_) => return violated("must not have an item twice"),
                Err(place) => {
                    // Moving many is work too.
                    self.spend((sorted.len() - place) / 256);
                    sorted.insert(place, item);
                }
            }
            if self.steps == 0 {
                return self.stop(super::TOO_LONG);
            }
        }
        Ok(())
    }
}

pub(super) fn elements(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}
