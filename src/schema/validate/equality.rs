//! Equality of JSON values, by way of an order: numbers are equal by value.

use std::cmp::Ordering;

use serde_json::{Map, Value};

use crate::schema::leaf::number;

pub(super) fn compare(one: &Value, other: &Value) -> Ordering {
    match (one, other) {
        (Value::Bool(one), Value::Bool(other)) => one.cmp(other),
        (Value::Number(one), Value::Number(other)) => number::compare(one, other),
        (Value::String(one), Value::String(other)) => one.cmp(other),
        (Value::Array(one), Value::Array(other)) => one.len().cmp(&other.len()).then_with(|| {
            first_difference(one.iter().zip(other).map(|(one, other)| compare(one, other)))
        }),
        (Value::Object(one), Value::Object(other)) => one.len().cmp(&other.len()).then_with(|| {
            let pairs = by_name(one).into_iter().zip(by_name(other));
            first_difference(pairs.map(|((name, one), (other_name, other))| {
                name.cmp(other_name).then_with(|| compare(one, other))
            }))
        }),
        _ => kind(one).cmp(&kind(other)),
    }
}

pub(super) fn equal(one: &Value, other: &Value) -> bool {
    compare(one, other).is_eq()
}

/// The members by name, as they stand, unless a crate turned on serde_json's `preserve_order`.
fn by_name(members: &Map<String, Value>) -> Vec<(&String, &Value)> {
    let mut sorted = Vec::with_capacity(members.len());
    for member in members {
        let place = sorted.partition_point(|(name, _)| *name < member.0);
        sorted.insert(place, member);
    }
    sorted
}

fn first_difference(mut orders: impl Iterator<Item = Ordering>) -> Ordering {
    orders.find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
}

fn kind(value: &Value) -> u8 {
    match value {
        Value::Null => 0,
        Value::Bool(_) => 1,
        Value::Number(_) => 2,
        Value::String(_) => 3,
        Value::Array(_) => 4,
        Value::Object(_) => 5,
    }
}
