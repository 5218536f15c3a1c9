//! One spelling for all spellings of a JSON value: a client that sends its arguments again, after
//! its own JSON library has read and written them, has still asked for the same.

use serde_json::value::RawValue;
use serde_json::{Number, Value};

/// The largest number up to which a float has every integer, and the first beyond.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// Arguments as a part of a purpose: members in order, no white space, and whole numbers written
/// as such. None at all are an empty object.
///
/// What cannot be read, for its depth or for half a surrogate pair, is equal to itself only.
pub(crate) fn canonical(arguments: Option<&RawValue>) -> Vec<u8> {
    let json = arguments.map_or("{}", RawValue::get);
    let Ok(value) = serde_json::from_str(json) else { return json.as_bytes().to_vec() };
    let mut written = String::with_capacity(json.len());
    write(&value, &mut written);
    written.into_bytes()
}

fn write(value: &Value, out: &mut String) {
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_unstable_by_key(|(name, _)| *name);
            write_all('{', members, '}', out, |(name, value), out| {
                out.push_str(&Value::from(name.as_str()).to_string());
                out.push(':');
                write(value, out);
            });
        }
        Value::Array(items) => write_all('[', items, ']', out, write),
        Value::Number(number) => out.push_str(&whole(number)),
        other => out.push_str(&other.to_string()),
    }
}

fn write_all<T>(
    open: char,
    items: impl IntoIterator<Item = T>,
    close: char,
    out: &mut String,
    write: impl Fn(T, &mut String),
) {
    out.push(open);
    for (index, item) in items.into_iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        write(item, out);
    }
    out.push(close);
}

/// `1.0` and `1e0` as `1`, `-0.0` as `0`.
fn whole(number: &Number) -> String {
    match number.as_f64() {
        Some(float) if number.is_f64() && float.fract() == 0.0 && float.abs() < EXACT => {
            (float as i64).to_string()
        }
        _ => number.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(json: &str) -> String {
        let raw: Box<RawValue> = serde_json::from_str(json).unwrap();
        String::from_utf8(canonical(Some(&raw))).unwrap()
    }

    #[test]
    fn i7_spellings_of_the_same_arguments_are_one() {
        for (json, same) in [
            (r#"{"a":1,"b":[true,null]}"#, " { \"b\" : [ true , null ] ,\n\"a\" : 1 } "),
            (r#"{"a":{"c":1,"d":2}}"#, r#"{"a":{"d":2,"c":1}}"#),
            (r#"["\u00e9\/","x"]"#, r#"["é/","\u0078"]"#),
            ("[1,0,-5,100]", "[1.0,-0.0,-5e0,1E2]"),
            ("[0.5,1e300]", "[5e-1,1.0E+300]"),
        ] {
            assert_eq!(of(json), of(same), "{json}");
        }
        assert_eq!(of("{}").as_bytes(), canonical(None));
    }

    #[test]
    fn i7_other_arguments_are_others() {
        let all = [
            "{}",
            "[]",
            "null",
            "0",
            "1",
            "1.5",
            "\"1\"",
            "[1]",
            "[[1]]",
            "[1,1]",
            "{\"a\":1}",
            "{\"a\":\"1\"}",
            "{\"a,b\":1}",
            "{\"a\":1,\"b\":1}",
            "[\"a,b\"]",
            "[\"a\",\"b\"]",
            "9007199254740992",
            "9007199254740993",
            "18446744073709551615",
            "\"\\ud800\"",
        ];
        for (index, one) in all.iter().enumerate() {
            for other in &all[index + 1..] {
                assert_ne!(of(one), of(other), "{one} {other}");
            }
        }
    }

    #[test]
    fn i7_what_cannot_be_read_is_equal_to_itself() {
        let (deep, half) = ("[".repeat(200) + &"]".repeat(200), r#"{"a":"\ud800"}"#);
        assert_eq!(of(&deep), deep);
        assert_eq!(of(half), half);
    }

    proptest! {
        #[test]
        fn i7_strings_are_kept_apart(one: String, other: String) {
            let json = |text: &str| Value::from(text).to_string();
            prop_assert_eq!(of(&json(&one)) == of(&json(&other)), one == other);
        }
    }
}
