//! Numbers by value: `1` is `1.0`, and no integer is rounded.

use std::cmp::Ordering;

use serde::de::{Error, Visitor};
use serde_json::Number;

/// Whether a number is an integer to JSON Schema: `3.0` is one.
pub(crate) fn is_integer(number: &Number) -> bool {
    number.as_f64().is_some_and(|float| float.trunc() == float)
}

/// The first float beyond any `u64`.
const BEYOND: f64 = 18_446_744_073_709_551_616.0;

/// A number as one that an integer type with these limits takes: `3.0` is 3, as serializers without
/// integers write it.
pub(crate) fn whole(number: &Number, smallest: i64, largest: u64) -> Option<Number> {
    let number = match number.as_f64() {
        Some(float) if number.is_f64() => integral(float)?,
        _ => number.clone(),
    };
    let fits = match (number.as_u64(), number.as_i64()) {
        (Some(number), _) => number <= largest,
        (None, Some(number)) => number >= smallest,
        (None, None) => false,
    };
    fits.then_some(number)
}

/// A float as the integer that it is.
fn integral(float: f64) -> Option<Number> {
    let (unsigned, signed) = (float as u64, float as i64);
    if unsigned as f64 == float && float < BEYOND {
        return Some(unsigned.into());
    }
    // The smallest `i64` as a float is what smaller integers were rounded to, too.
    (signed as f64 == float && float < 0.0 && signed > i64::MIN).then(|| signed.into())
}

/// Hands a number to a visitor, as what it is.
pub(crate) fn visit<'de, V: Visitor<'de>, E: Error>(
    number: &Number,
    visitor: V,
) -> Result<V::Value, E> {
    match (number.as_u64(), number.as_i64()) {
        (Some(number), _) => visitor.visit_u64(number),
        (None, Some(number)) => visitor.visit_i64(number),
        (None, None) => visitor.visit_f64(float(number)),
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
