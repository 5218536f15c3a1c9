//! Comparison of verdicts with another validator, for generated schemas and values.

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

use super::validate;
use crate::tests::properties::cases;

/// What the crate `boon` says; nothing of a schema that it does not take.
fn verdict_of_boon(schema: &Value, instance: &Value) -> Option<bool> {
    let mut schemas = boon::Schemas::new();
    let mut compiler = boon::Compiler::new();
    compiler.enable_format_assertions();
    compiler.add_resource("mem:///schema", schema.clone()).ok()?;
    let index = compiler.compile("mem:///schema", &mut schemas).ok()?;
    Some(schemas.validate(instance, index).is_ok())
}

fn name() -> impl Strategy<Value = String> {
    select(&["a", "b", "c", "x-d", "12"][..]).prop_map(str::to_owned)
}

fn names() -> impl Strategy<Value = Value> {
    prop::collection::btree_set(name(), 0..3).prop_map(|names| json!(names))
}

/// No large ones, which the other rounds.
fn number() -> impl Strategy<Value = Value> {
    prop_oneof![
        6 => (-3..6).prop_map(Value::from),
        2 => (-6..12).prop_map(|half| json!(f64::from(half) / 2.0)),
    ]
}

fn text() -> impl Strategy<Value = Value> {
    let texts = [
        "",
        "a",
        "ab",
        "\u{1f980}",
        "12",
        "2024-02-30",
        "2024-02-29",
        "2024-02-29T12:00:00Z",
        "12:00:60Z",
        "a@b.c",
        "a@",
        "::1",
        "127.0.0.1",
        "http://a/b",
        "no",
        "h-",
        "2eb8aa08-aa98-11ea-b4aa-73b441d16380",
    ];
    prop_oneof![select(texts.to_vec()).prop_map(Value::from), "[ab]{0,4}".prop_map(Value::from)]
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        1 => Just(Value::Null),
        1 => any::<bool>().prop_map(Value::from),
        4 => number(),
        4 => text(),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(name(), inner, 0..4).prop_map(|map| json!(map)),
        ]
    })
}

/// A keyword without a schema in it, and its value.
fn assertion() -> impl Strategy<Value = (&'static str, Value)> {
    let kinds = ["null", "boolean", "number", "integer", "string", "array", "object"];
    let formats = ["date-time", "date", "time", "email", "uri", "ipv4", "ipv6", "uuid", "hostname"];
    let limits = ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"];
    let counts = [
        "minLength",
        "maxLength",
        "minItems",
        "maxItems",
        "minProperties",
        "maxProperties",
        "minContains",
        "maxContains",
    ];
    prop_oneof![
        select(kinds.to_vec()).prop_map(|kind| ("type", json!(kind))),
        prop::sample::subsequence(kinds.to_vec(), 1..3).prop_map(|kinds| ("type", json!(kinds))),
        (select(limits.to_vec()), number()),
        (select(counts.to_vec()), (0..4).prop_map(Value::from)),
        select(vec![json!(1), json!(2), json!(0.5), json!(3)]).prop_map(|of| ("multipleOf", of)),
        prop::collection::vec(value(), 1..4).prop_map(|values| ("enum", json!(values))),
        value().prop_map(|value| ("const", value)),
        any::<bool>().prop_map(|unique| ("uniqueItems", json!(unique))),
        names().prop_map(|names| ("required", names)),
        (name(), names()).prop_map(|(name, names)| ("dependentRequired", json!({ name: names }))),
        select(formats.to_vec()).prop_map(|format| ("format", json!(format))),
        patterns(),
    ]
}

#[cfg(feature = "pattern")]
fn patterns() -> impl Strategy<Value = (&'static str, Value)> {
    select(&["^a", "b$", "\\d", "^x-", "a|b"][..]).prop_map(|pattern| ("pattern", json!(pattern)))
}

#[cfg(not(feature = "pattern"))]
fn patterns() -> impl Strategy<Value = (&'static str, Value)> {
    Just(("patternProperties", json!({ r"^\d+$": { "type": "string" } })))
}

/// Places that every schema has, by name and by pointers with escapes.
const REFERENCES: [&str; 6] = [
    "#/$defs/a",
    "#named",
    "#/$defs/b/allOf/0",
    "#/$defs/c~1d%20~0e",
    "#/%24defs/c~1d%20~0e/items",
    "#/$defs/c~1d%20~0e/properties/x-d",
];

/// A keyword with schemas in it.
fn applicator(inner: BoxedStrategy<Value>) -> impl Strategy<Value = (&'static str, Value)> {
    let singles = [
        "items",
        "contains",
        "additionalProperties",
        "propertyNames",
        "not",
        "if",
        "then",
        "else",
        "unevaluatedProperties",
        "unevaluatedItems",
    ];
    let list = prop::collection::vec(inner.clone(), 1..4).prop_map(|list| json!(list));
    let map = prop::collection::btree_map(name(), inner.clone(), 0..4).prop_map(|map| json!(map));
    prop_oneof![
        4 => (select(singles.to_vec()), inner),
        3 => (select(&["allOf", "anyOf", "oneOf", "prefixItems"][..]), list),
        3 => (select(&["properties", "properties", "dependentSchemas"][..]), map),
        1 => select(REFERENCES.to_vec()).prop_map(|name| ("$ref", json!(name))),
    ]
}

fn schema() -> impl Strategy<Value = Value> {
    let plain = prop_oneof![
        1 => any::<bool>().prop_map(Value::from),
        6 => prop::collection::vec(assertion(), 1..4).prop_map(object),
    ];
    let nested = plain.clone().prop_recursive(3, 24, 4, |inner| {
        let applicators = prop::collection::vec(applicator(inner.boxed()), 1..5);
        (applicators, prop::collection::vec(assertion(), 0..2))
            .prop_map(|(some, others)| object(some.into_iter().chain(others).collect()))
    });
    (nested, plain.clone(), plain).prop_map(|(mut schema, first, second)| {
        if let Value::Object(members) = &mut schema {
            let third = json!({ "items": first, "properties": { "x-d": second } });
            let second = json!({ "$anchor": "named", "allOf": [second] });
            let places = json!({ "a": first, "b": second, "c/d ~e": third });
            members.insert("$defs".to_owned(), places);
        }
        schema
    })
}

fn object(members: Vec<(&'static str, Value)>) -> Value {
    Value::Object(
        members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect::<Map<_, _>>(),
    )
}

proptest! {
    #![proptest_config(cases(3000))]

    #[test]
    fn t4_verdicts_agree_with_another_validator(
        schema in schema(),
        instances in prop::collection::vec(value(), 1..6),
    ) {
        for instance in instances {
            let Some(expected) = verdict_of_boon(&schema, &instance) else {
                return Err(TestCaseError::reject("no schema"));
            };
            let got = validate(&schema, &instance);
            prop_assert_eq!(got.is_ok(), expected, "{} {} {:?}", schema, instance, got);
        }
        prop_assert_eq!(super::super::problems(&schema), Vec::<String>::new());
    }
}
