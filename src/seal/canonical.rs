//! One spelling for all spellings of a JSON value: a client that sends its arguments again, after
//! its own JSON library has read and written them, has still asked for the same.

use std::borrow::Cow;

use serde_json::Number;
use serde_json::value::RawValue;

use crate::protocol::jsonrpc::behind_string;

/// The most digits that a float can stand for.
const MOST_DIGITS: usize = 309;

/// Arguments as a part of a purpose: members in order, no white space, and whole numbers written
/// as such, with all their digits. None at all are an empty object.
///
/// Written from the text, member by member: as values, arguments would take many times its memory.
/// A string that is no text, for half a surrogate pair, is equal to itself only.
pub(crate) fn canonical(arguments: Option<&RawValue>) -> Vec<u8> {
    let mut rest = arguments.map_or("{}", RawValue::get);
    let mut written = String::with_capacity(rest.len());
    value(&mut rest, &mut written);
    written.into_bytes()
}

/// Writes one value, and leaves what comes after it. The text is known to be JSON that does not
/// nest too deep.
fn value(rest: &mut &str, out: &mut String) {
    match first(rest) {
        b'{' => object(rest, out),
        b'[' => list(rest, out),
        b'"' => string(rest, out),
        _ => {
            let end = rest.find([',', ']', '}', ' ', '\t', '\r', '\n']).unwrap_or(rest.len());
            out.push_str(&number(take(rest, end.max(1))));
        }
    }
}

/// The first byte after white space; 0 at the end.
fn first(rest: &mut &str) -> u8 {
    *rest = rest.trim_ascii_start();
    rest.as_bytes().first().copied().unwrap_or_default()
}

fn take<'a>(rest: &mut &'a str, bytes: usize) -> &'a str {
    let (taken, after) = rest.split_at_checked(bytes).unwrap_or((rest, ""));
    *rest = after;
    taken
}

fn list(rest: &mut &str, out: &mut String) {
    take(rest, 1);
    out.push('[');
    while first(rest) != b']' && !rest.is_empty() {
        if first(rest) == b',' {
            out.push_str(take(rest, 1));
        }
        value(rest, out);
    }
    out.push_str(take(rest, 1));
}

/// Writes the members as they come, and sorts what is written.
fn object(rest: &mut &str, out: &mut String) {
    take(rest, 1);
    let start = out.len();
    // Where members and their names end.
    let mut ends = Vec::new();
    while first(rest) != b'}' && !rest.is_empty() {
        if first(rest) == b',' {
            take(rest, 1);
            first(rest);
        }
        string(rest, out);
        let name = out.len();
        first(rest);
        out.push_str(take(rest, 1));
        value(rest, out);
        ends.push((name, out.len()));
    }
    take(rest, 1);
    let written = out.split_off(start);
    let mut begin = start;
    let mut members: Vec<_> = Vec::with_capacity(ends.len());
    for (name, end) in ends {
        members.push((&written[begin - start..name - start], &written[begin - start..end - start]));
        begin = end;
    }
    // Stable: of a name that is there twice, the last one counts.
    members.sort_by_key(|(name, _)| *name);
    out.push('{');
    for (index, (_, member)) in members.iter().enumerate() {
        out.push_str(if index == 0 { "" } else { "," });
        out.push_str(member);
    }
    out.push('}');
}

/// Writes a string with no escapes but those that it needs.
fn string(rest: &mut &str, out: &mut String) {
    let after = behind_string(rest.as_bytes().get(1..).unwrap_or_default());
    let json = take(rest, rest.len() - after.len());
    let text = json.contains('\\').then(|| serde_json::from_str::<String>(json).ok()).flatten();
    match text.and_then(|text| serde_json::to_string(&text).ok()) {
        Some(written) => out.push_str(&written),
        None => out.push_str(json),
    }
}

/// `1.0` and `1e0` as `1`, `-0.0` as `0`, and fractions as their nearest float.
fn number(token: &str) -> Cow<'_, str> {
    if token == "-0" {
        return "0".into();
    }
    if !token.starts_with(|first: char| first == '-' || first.is_ascii_digit())
        || !token.contains(['.', 'e', 'E'])
    {
        return token.into();
    }
    match (whole(token), token.parse::<Number>()) {
        (Some(digits), _) => digits.into(),
        (None, Ok(number)) => number.to_string().into(),
        (None, Err(_)) => token.into(),
    }
}

/// All digits of a number that is an integer, however it is written.
fn whole(token: &str) -> Option<String> {
    let (mantissa, exponent) = token.split_once(['e', 'E']).unwrap_or((token, "0"));
    let (sign, mantissa) = match mantissa.strip_prefix('-') {
        Some(mantissa) => ("-", mantissa),
        None => ("", mantissa),
    };
    let (before, after) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = [before, after].concat();
    let significant = digits.trim_end_matches('0');
    if significant.is_empty() {
        return Some("0".to_owned());
    }
    let exponent: i32 = exponent.parse().ok()?;
    let point = usize::try_from(i64::from(exponent) + before.len() as i64).ok()?;
    let zeros = point.checked_sub(significant.len())?;
    let significant = significant.trim_start_matches('0');
    (point <= MOST_DIGITS).then(|| [sign, significant, &"0".repeat(zeros)].concat())
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
            ("[15,-120,0,1e25]", "[1.5e1,-0.12e3,-0.0E5,10000000000000000000000000]"),
            (r#"{"b":{},"a":[],"":[{},[1]]}"#, r#"{"":[{ },[ 1.0 ]],"a":[ ],"b":{}}"#),
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
            "18446744073709551616",
            "18446744073709551617",
            "-9223372036854775809",
            "-9223372036854775810",
            "123456789012345678901234567890",
            "1e400",
            "1e401",
            "0.1",
            "1e-400",
            "[[],1]",
            "[[1],[]]",
            "{\"a\":1,\"a\":2}",
            "{\"a\":2,\"a\":1}",
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
            let json = |text: &str| serde_json::Value::from(text).to_string();
            prop_assert_eq!(of(&json(&one)) == of(&json(&other)), one == other);
        }
    }
}
