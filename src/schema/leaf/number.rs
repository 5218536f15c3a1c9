//! Numbers by value: `1` is `1.0`, and no integer is rounded.

use std::cmp::Ordering;

use serde_json::Number;

/// Whether a number is an integer to JSON Schema: `3.0` is one.
pub(crate) fn is_integer(number: &Number) -> bool {
    number.as_f64().is_some_and(|float| float.trunc() == float)
}

/// Whether a number is one that is read into an integer type with these limits: `3.0` is not.
pub(crate) fn is_whole(number: &Number, smallest: i64, largest: u64) -> bool {
    match (number.as_u64(), number.as_i64()) {
        (Some(number), _) => number <= largest,
        (None, Some(number)) => number >= smallest,
        (None, None) => false,
    }
}

/// Orders numbers by their exact values.
pub(crate) fn compare(one: &Number, other: &Number) -> Ordering {
    match (exact(one), exact(other)) {
        (Some(one), Some(other)) => one.cmp(&other),
        // A fraction is smaller than 2^53, where floats still tell integers apart, and what is no
        // `i128` is larger than any integer of JSON here.
        _ => float(one).partial_cmp(&float(other)).unwrap_or(Ordering::Equal),
    }
}

/// The number as an integer, where it is one that 66 bits hold.
fn exact(number: &Number) -> Option<i128> {
    if let Some(integer) = number.as_u64() {
        return Some(integer.into());
    }
    if let Some(integer) = number.as_i64() {
        return Some(integer.into());
    }
    let float = float(number);
    // By quarters, so that they hold what is a little larger than any `u64`.
    let quarter = (float / 4.0).floor();
    let is_integer = float.trunc() == float && quarter.abs() < 9_223_372_036_854_775_808.0;
    let rest = (float - quarter * 4.0) as i64;
    is_integer.then(|| i128::from(quarter as i64) * 4 + i128::from(rest))
}

fn float(number: &Number) -> f64 {
    number.as_f64().unwrap_or_default()
}

/// Decimal fractions are binary ones here, so a quotient may miss its integer by the rounding of
/// the three numbers.
pub(super) fn is_multiple(number: &Number, of: &Number) -> bool {
    if let (Some(number), Some(of)) = (exact(number), exact(of)) {
        let (number, of) = (number.unsigned_abs(), of.unsigned_abs());
        if let (Ok(number), Ok(of)) = (u64::try_from(number), u64::try_from(of)) {
            return of != 0 && number % of == 0;
        }
    }
    let quotient = float(number) / float(of);
    let miss = (quotient - quotient.round_ties_even()).abs();
    quotient.is_finite() && miss <= quotient.abs() * 2.0 * f64::EPSILON
}
