//! Keyword by keyword: what holds, and what a model is told where it does not.

use serde_json::{Value, json};

use super::{Violation, validate};

/// The violation, as `path: rule`; nothing where there is none.
fn told(schema: &Value, instance: &Value) -> String {
    match validate(schema, instance) {
        Ok(()) => String::new(),
        Err(Violation { path, rule }) => format!("{path}: {rule}"),
    }
}

#[track_caller]
fn check(schema: Value, cases: impl IntoIterator<Item = (Value, &'static str)>) {
    for (instance, expected) in cases {
        assert_eq!(told(&schema, &instance), expected, "{schema} {instance}");
    }
}

#[test]
fn t4_type() {
    let integer = ": must be of type integer";
    check(
        json!({ "type": "integer" }),
        [
            (json!(1), ""),
            (json!(1.0), ""),
            (json!(u64::MAX), ""),
            (json!(1e300), ""),
            (json!(1.5), integer),
            (json!("1"), integer),
            (json!(null), integer),
        ],
    );
    check(
        json!({ "type": ["string", "null"] }),
        [(json!("a"), ""), (json!(null), ""), (json!(true), ": must be of type string or null")],
    );
    let kinds = [json!(null), json!(true), json!(1.5), json!("a"), json!([]), json!({})];
    let names = ["null", "boolean", "number", "string", "array", "object"];
    for (index, name) in names.iter().enumerate() {
        for (other, kind) in kinds.iter().enumerate() {
            let fits = validate(&json!({ "type": name }), kind).is_ok();
            assert_eq!(fits, index == other, "{name} {kind}");
        }
    }
}

#[test]
fn t4_enum_and_const() {
    check(
        json!({ "enum": ["a", 1, { "b": [2] }] }),
        [
            (json!("a"), ""),
            (json!(1.0), ""),
            (json!({ "b": [2.0] }), ""),
            (json!("b"), ": must be one of \"a\", 1, {\"b\":[2]}"),
        ],
    );
    check(json!({ "const": null }), [(json!(null), ""), (json!(false), ": must be null")]);
    check(json!({ "const": false }), [(json!(0), ": must be false")]);
}

#[test]
fn t4_ranges_compare_exactly() {
    check(
        json!({ "minimum": 1, "maximum": 10 }),
        [
            (json!(1), ""),
            (json!(10.0), ""),
            (json!("none"), ""),
            (json!(0.9), ": must be at least 1"),
            (json!(11), ": must be at most 10"),
        ],
    );
    check(
        json!({ "exclusiveMinimum": 0, "exclusiveMaximum": 1.5 }),
        [
            (json!(1), ""),
            (json!(0), ": must be more than 0"),
            (json!(1.5), ": must be less than 1.5"),
        ],
    );
    let edges = [
        (json!(u64::MAX), json!(u64::MAX - 1)),
        (json!(9_007_199_254_740_993_u64), json!(9_007_199_254_740_992.0)),
        (json!(18_446_744_073_709_551_616.0), json!(u64::MAX)),
        (json!(i64::MIN), json!(-18_446_744_073_709_551_616.0)),
        (json!(i64::MIN + 1), json!(-9_223_372_036_854_775_808.0)),
        (json!(1e300), json!(u64::MAX)),
        (json!(-3), json!(-3.5)),
    ];
    for (larger, smaller) in edges {
        assert_ne!(told(&json!({ "maximum": smaller }), &larger), "", "{larger} {smaller}");
        assert_eq!(told(&json!({ "exclusiveMinimum": smaller }), &larger), "");
        assert_ne!(told(&json!({ "const": smaller }), &larger), "");
    }
    assert_eq!(told(&json!({ "const": -3 }), &json!(-3.0)), "");
}

#[test]
fn t4_multiple_of() {
    check(
        json!({ "multipleOf": 0.01 }),
        [(json!(4.35), ""), (json!(0), ""), (json!(4.355), ": must be a multiple of 0.01")],
    );
    check(
        json!({ "multipleOf": 3 }),
        [
            (json!(-9), ""),
            (json!(9_007_199_254_740_993_u64), ""),
            (json!(9_007_199_254_740_994_u64), ": must be a multiple of 3"),
            (json!(1.5), ": must be a multiple of 3"),
        ],
    );
    let broken = validate(&json!({ "multipleOf": 0 }), &json!(1));
    assert!(broken.is_err(), "no number is a multiple of nothing");
}

#[test]
fn t4_lengths_count_characters() {
    check(
        json!({ "minLength": 2, "maxLength": 3.0 }),
        [
            (json!("\u{1f980}\u{1f980}"), ""),
            (json!("\u{1f980}"), ": must have at least 2 characters"),
            (json!("abcd"), ": must have at most 3.0 characters"),
            (json!(1), ""),
        ],
    );
}

#[test]
fn t4_arrays() {
    check(
        json!({ "prefixItems": [{ "type": "string" }], "items": { "type": "integer" } }),
        [
            (json!([]), ""),
            (json!(["a", 1, 2]), ""),
            (json!([1]), "[0]: must be of type string"),
            (json!(["a", 1, "b"]), "[2]: must be of type integer"),
        ],
    );
    check(
        json!({ "minItems": 1, "maxItems": 2, "uniqueItems": true }),
        [
            (json!([[1, { "a": 1, "b": 2 }], [1, { "a": 1 }]]), ""),
            (json!([]), ": must have at least 1 items"),
            (json!([1, 2, 3]), ": must have at most 2 items"),
            (json!([{ "a": 1 }, { "a": 1.0 }]), ": must not have an item twice"),
        ],
    );
    let contains = json!({ "contains": { "type": "string" }, "maxContains": 1 });
    check(
        contains,
        [
            (json!([1, "a"]), ""),
            (json!([1]), ": must have at least 1 items as `contains` describes them"),
            (json!(["a", "b"]), ": must have at most 1 items as `contains` describes them"),
        ],
    );
    check(json!({ "contains": false, "minContains": 0 }), [(json!([1]), "")]);
}

#[test]
fn t4_objects() {
    let address = json!({
        "type": "object",
        "properties": { "street": { "type": "string" }, "lines": { "items": { "maximum": 3 } } },
        "required": ["street"],
        "additionalProperties": false,
        "maxProperties": 2,
        "propertyNames": { "maxLength": 6 },
    });
    check(
        json!({ "properties": { "to": address } }),
        [
            (json!({}), ""),
            (json!({ "to": { "street": "a", "lines": [3] } }), ""),
            (json!({ "to": { "lines": [] } }), "to: `street` is missing"),
            (json!({ "to": { "street": 1 } }), "to.street: must be of type string"),
            (json!({ "to": { "street": "a", "lines": [1, 4] } }), "to.lines[1]: must be at most 3"),
            (json!({ "to": { "street": "a", "zip": 1 } }), "to.zip: is not allowed"),
        ],
    );
    let names = json!({ "propertyNames": { "maxLength": 2 }, "minProperties": 1 });
    check(
        names,
        [
            (json!({}), ": must have at least 1 members"),
            (json!({ "abc": 1 }), ": has the name `abc`, which must have at most 2 characters"),
        ],
    );
    let dependent = json!({
        "dependentRequired": { "a": ["b"] },
        "dependentSchemas": { "b": { "properties": { "a": { "const": 1 } } } },
    });
    check(
        dependent,
        [
            (json!({ "a": 1, "b": 1 }), ""),
            (json!({ "a": 1 }), ": `b` is missing"),
            (json!({ "a": 2, "b": 1 }), "a: must be 1"),
        ],
    );
}

#[test]
fn t4_alternatives_tell_what_each_wants() {
    check(
        json!({ "anyOf": [{ "properties": { "a": { "minimum": 1 } }, "type": "object" }, { "type": "null" }] }),
        [
            (json!(null), ""),
            (json!({ "a": 0 }), ": `a` must be at least 1, or must be of type null"),
        ],
    );
    check(
        json!({ "oneOf": [{ "multipleOf": 2 }, { "multipleOf": 3 }] }),
        [
            (json!(4), ""),
            (json!(6), ": must be valid against only one of the alternatives in `oneOf`"),
            (json!(1), ": must be a multiple of 2, or must be a multiple of 3"),
        ],
    );
    let many: Vec<Value> = (0..100).map(|number| json!({ "const": number })).collect();
    let told = told(&json!({ "anyOf": many }), &json!("x"));
    assert!(told.len() < 400 && told.ends_with(", or others"), "{told}");
    check(
        json!({ "allOf": [{ "minimum": 1 }, { "not": { "const": 3 } }] }),
        [(json!(2), ""), (json!(3), ": must not be valid against {\"const\":3}")],
    );
    check(
        json!({ "if": { "minimum": 5 }, "then": { "maximum": 6 }, "else": { "minimum": 1 } }),
        [(json!(5), ""), (json!(7), ": must be at most 6"), (json!(0), ": must be at least 1")],
    );
    check(json!({ "then": false, "else": false }), [(json!(1), "")]);
    check(json!(false), [(json!(1), ": is not allowed")]);
}

#[test]
fn t4_unevaluated() {
    let schema = json!({
        "allOf": [{ "properties": { "a": true } }],
        "if": { "properties": { "kind": { "const": "b" } }, "required": ["kind"] },
        "then": { "properties": { "b": true } },
        "unevaluatedProperties": false,
    });
    check(
        schema,
        [
            (json!({ "a": 1 }), ""),
            (json!({ "kind": "b", "b": 1 }), ""),
            (json!({ "b": 1 }), "b: is not allowed"),
            (json!({ "kind": "c" }), "kind: is not allowed"),
        ],
    );
    let items = json!({
        "$ref": "#/$defs/pair",
        "contains": { "type": "null" },
        "minContains": 0,
        "unevaluatedItems": { "type": "string" },
        "$defs": { "pair": { "prefixItems": [true, true] } },
    });
    check(
        items,
        [(json!([1, 2, null, "a"]), ""), (json!([1, 2, 3]), "[2]: must be of type string")],
    );
}

#[test]
fn t4_references_stay_within_the_schema() {
    let schema = json!({
        "$id": "https://example.com/tree",
        "$defs": {
            "a/b%": { "minimum": 1 },
            "named": { "$anchor": "named", "minimum": 2 },
            "looks": { "enum": [{ "$anchor": "named" }] },
        },
        "properties": {
            "pointer": { "$ref": "#/$defs/a~1b%25" },
            "anchor": { "$ref": "#named" },
            "whole": { "$ref": "https://example.com/tree" },
            "dynamic": { "$dynamicRef": "#named" },
        },
    });
    check(
        schema,
        [
            (json!({ "pointer": 0 }), "pointer: must be at least 1"),
            (json!({ "anchor": 1 }), "anchor: must be at least 2"),
            (json!({ "dynamic": 1 }), "dynamic: must be at least 2"),
            (
                json!({ "whole": { "whole": { "anchor": 1 } } }),
                "whole.whole.anchor: must be at least 2",
            ),
        ],
    );
}

#[test]
fn z6_what_cannot_be_checked_is_refused_even_under_not() {
    let remote = json!({ "$ref": "https://example.com/schema.json" });
    let text = ": cannot be checked: there is no schema `https://example.com/schema.json`";
    check(remote.clone(), [(json!(1), text)]);
    check(json!({ "not": remote }), [(json!(1), text)]);
    check(json!({ "anyOf": [remote, true] }), [(json!(1), text)]);
    check(
        json!({ "not": { "$ref": "#/%f" } }),
        [(json!(1), ": cannot be checked: there is no schema `#/%f`")],
    );
    check(
        json!({ "$schema": "http://json-schema.org/draft-07/schema#" }),
        [(json!(1), ": cannot be checked: only schemas of JSON Schema 2020-12 can")],
    );
    check(
        json!({ "not": { "$id": "https://example.com/part", "type": "string" } }),
        [(json!(1), ": cannot be checked: a part of the schema has an `$id` of its own")],
    );
    check(json!({ "$schema": super::DIALECT }), [(json!(1), "")]);
}

#[test]
fn z3_endless_schemas_end() {
    let too_long = ": takes too long to check against the schema";
    check(json!({ "$ref": "#" }), [(json!(1), too_long)]);
    check(json!({ "not": { "$ref": "#" } }), [(json!(1), too_long)]);
    check(json!({ "anyOf": [{ "$ref": "#" }, { "$ref": "#" }] }), [(json!(1), too_long)]);
    // A level doubles the work: 2^n applications for n levels.
    let mut wide =
        json!({ "$defs": { "level0": { "type": "string" } }, "$ref": "#/$defs/level40" });
    for level in 1..=40 {
        let below = json!({ "$ref": format!("#/$defs/level{}", level - 1) });
        wide["$defs"][format!("level{level}")] = json!({ "anyOf": [below, below] });
    }
    check(wide.clone(), [(json!(1), too_long)]);
    wide["$ref"] = json!("#/$defs/level10");
    assert!(told(&wide, &json!(1)).len() < 1000, "nor does the text grow by as much");
    let shuffled: Vec<u64> = (0..200_000_u64).map(|n| n * 48_271 % 2_147_483_647).collect();
    check(json!({ "uniqueItems": true }), [(json!(shuffled), too_long)]);
    check(json!({ "uniqueItems": true }), [(json!((0..200_000).collect::<Vec<_>>()), "")]);
}

#[test]
fn z3_the_deepest_value_can_be_checked() {
    let tree = json!({
        "$ref": "#/$defs/tree",
        "$defs": { "tree": { "anyOf": [
            { "type": "null" },
            { "allOf": [{ "properties": { "next": { "$ref": "#/$defs/tree" } } }] },
        ] } },
    });
    let value = (0..126).fold(json!(null), |inner, _| json!({ "next": inner }));
    check(tree, [(value, "")]);
}

#[test]
fn t4_malformed_keywords_do_no_harm() {
    let numbers =
        ["minimum", "multipleOf", "minLength", "maxItems", "minContains", "maxProperties"];
    let others =
        ["properties", "required", "items", "anyOf", "enum", "type", "$ref", "pattern", "if"];
    for keyword in numbers.into_iter().chain(others) {
        for rule in [json!(null), json!("x"), json!([1]), json!({ "a": 1 }), json!(-1.5)] {
            let schema = json!({ keyword: rule, "contains": true });
            for instance in [json!(1), json!("a"), json!([1]), json!({ "a": 1 })] {
                drop(validate(&schema, &instance));
            }
            assert!(!super::super::problems(&schema).is_empty() || schema[keyword] == rule);
        }
    }
}

#[cfg(not(feature = "pattern"))]
#[test]
fn t4_patterns_need_their_feature() {
    let text =
        ": cannot be checked: the pattern `^a` needs the feature `pattern` of the crate `midge`";
    check(json!({ "pattern": "^a" }), [(json!("a"), text), (json!(1), "")]);
    check(json!({ "not": { "pattern": "^a" } }), [(json!("a"), text)]);
    let integers =
        json!({ "patternProperties": { r"^-?\d+$": true }, "additionalProperties": false });
    check(integers, [(json!({ "-1": 1, "2": 1 }), ""), (json!({ "-": 1 }), "-: is not allowed")]);
}

#[cfg(feature = "pattern")]
#[test]
fn t4_patterns() {
    check(
        json!({ "pattern": "^a\\d" }),
        [(json!("a1b"), ""), (json!("ba1"), ": must match the pattern \"^a\\\\d\"")],
    );
    let objects = json!({
        "patternProperties": { "^x-": { "type": "string" } },
        "additionalProperties": false,
    });
    check(
        objects,
        [
            (json!({ "x-a": "b" }), ""),
            (json!({ "x-a": 1 }), "x-a: must be of type string"),
            (json!({ "a": 1 }), "a: is not allowed"),
        ],
    );
    let told = told(&json!({ "pattern": "(?=a)" }), &json!("a"));
    assert!(
        told.starts_with(": cannot be checked: the pattern `(?=a)` cannot be compiled"),
        "{told}"
    );
}
