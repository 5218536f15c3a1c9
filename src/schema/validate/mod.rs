//! Validation of JSON values against JSON Schema 2020-12: what a published schema forbids does not
//! reach a handler.
//!
//! Why our own: every exchange loads the component. The crate `jsonschema` (0.61, without default
//! features) adds 2.2 MB to the smallest server's 287 KB, `boon` (0.6) adds 1.3 MB, and both first
//! compile a schema, which takes 22 µs where this one has its verdict after 3, for the one value
//! that an instance ever sees. This one reads the schema as it stands and adds 34 KB; a server
//! whose types say it all does without even that (see `Tool::enforce_schema`). Regular expressions
//! are 55 KB more, and a feature of the crate, `pattern`.
//!
//! A schema is walked by its own members, so the work for a value is that of the keywords that are
//! there. Both depth and steps are bounded. What cannot be checked is not let through: a call that
//! meets an unresolvable `$ref`, another dialect, or a `pattern` without the feature is refused,
//! and [`problems`](super::problems) tells the author long before. Nothing is ever fetched.

mod array;
#[cfg(test)]
mod differential;
mod equality;
mod logic;
mod object;
mod pattern;
mod reference;
mod string;
#[cfg(test)]
mod tests;
mod unevaluated;

use serde_json::{Map, Value};

use super::leaf::{self, joined};
use crate::error::excerpt;

pub(super) use pattern::why_not as why_pattern_fails;
pub(super) use reference::resolve;

/// The only dialect; a schema that names none has it.
pub(super) const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

/// How deep subschemas may nest as they are applied: values nest 128 deep at most, and a level
/// of a recursive type takes three or four.
const DEPTH: usize = 512;

/// How many subschemas may be applied: some to any value, more for each value within it, as
/// alternatives need, and no more than a large body that is in order. Alternatives within
/// alternatives would double the work with each level of a small one.
const STEPS: usize = 1 << 16;
const STEPS_FOR_EACH: usize = 64;
const MOST_STEPS: usize = 1 << 22;

const TOO_LONG: &str = "takes too long to check against the schema";

/// What a value breaks, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Violation {
    /// Where in the value, as `items[2].price`; empty for the value as a whole.
    pub(crate) path: String,
    /// What must hold there.
    pub(crate) rule: String,
}

type Checked = Result<(), Violation>;

/// Finds the first violation of a schema.
pub(crate) fn validate(schema: &Value, instance: &Value) -> Result<(), Violation> {
    let mut checker = Checker::new(schema, instance);
    let checked = checker.check(schema, instance);
    // Even a violation under `not`, which would turn into its opposite.
    match checker.stopped {
        Some(rule) => violated(rule),
        None => checked,
    }
}

/// One validation: the schema that references point into, and what is left of the bounds.
struct Checker<'s> {
    root: &'s Value,
    depth: usize,
    steps: usize,
    /// Why nothing can be said about the value. After that, no subschema is applied.
    stopped: Option<String>,
    patterns: pattern::Patterns<'s>,
}

impl<'s> Checker<'s> {
    fn new(root: &'s Value, instance: &Value) -> Self {
        let steps = STEPS.saturating_add(STEPS_FOR_EACH.saturating_mul(size(instance)));
        let steps = steps.min(MOST_STEPS);
        Self { root, depth: DEPTH, steps, stopped: None, patterns: Default::default() }
    }

    /// Applies a schema to a value.
    fn check(&mut self, schema: &'s Value, instance: &Value) -> Checked {
        let schema = match schema {
            Value::Object(members) => members,
            Value::Bool(false) => return violated("is not allowed"),
            _ => return Ok(()),
        };
        if self.depth == 0 || self.steps == 0 {
            return self.stop(TOO_LONG);
        }
        self.steps -= 1;
        self.depth -= 1;
        let mut members = schema.iter();
        let checked =
            members.try_for_each(|(keyword, rule)| self.keyword(schema, keyword, rule, instance));
        self.depth += 1;
        checked
    }

    fn keyword(
        &mut self,
        schema: &'s Map<String, Value>,
        keyword: &str,
        rule: &'s Value,
        instance: &Value,
    ) -> Checked {
        match instance {
            Value::Number(number) => {
                leaf::check_number(keyword, rule, number).or_else(violated)?;
            }
            Value::String(text) => self.string(keyword, rule, text)?,
            Value::Array(items) => self.array(schema, keyword, rule, items)?,
            Value::Object(members) => self.object(schema, keyword, rule, members)?,
            Value::Null | Value::Bool(_) => {}
        }
        self.any(schema, keyword, rule, instance)
    }

    /// Counts work that is no subschema.
    fn spend(&mut self, steps: usize) {
        self.steps = self.steps.saturating_sub(steps);
    }

    /// Gives up, since nothing can be said about the value.
    fn stop(&mut self, rule: impl Into<String>) -> Checked {
        self.steps = 0;
        let rule = rule.into();
        self.stopped.get_or_insert_with(|| rule.clone());
        violated(rule)
    }
}

impl Violation {
    /// The violation as seen from one level up.
    fn within(mut self, segment: &str) -> Self {
        let dot = if self.path.is_empty() || self.path.starts_with('[') { "" } else { "." };
        self.path = joined(&[&excerpt(segment), dot, &self.path]);
        self
    }
}

/// How many values there are, containers included.
fn size(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(size).sum(),
        Value::Object(members) => members.values().map(size).sum(),
        _ => 0,
    }
}

fn violated(rule: impl Into<String>) -> Checked {
    Err(Violation { path: String::new(), rule: rule.into() })
}

/// Says what must hold, with the keyword's value.
fn require(holds: bool, text: &str, rule: &Value) -> Checked {
    leaf::require(holds, text, rule, "").or_else(violated)
}

/// Checks a count of items or members.
fn check_count(keyword: &str, rule: &Value, count: usize, unit: &str) -> Checked {
    leaf::check_count(keyword, rule, count, unit).or_else(violated)
}
