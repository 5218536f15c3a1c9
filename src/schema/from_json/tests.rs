//! What types make of JSON, and what is said where they make nothing of it.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Debug;
use std::num::NonZeroU8;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::{from_value, read};

#[track_caller]
fn problem<T: DeserializeOwned + Debug>(json: &str) -> String {
    read::<T>(json).unwrap_err().to_string()
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum Shape {
    Circle { radius: u8 },
    Line(Ends),
}

#[derive(Debug, PartialEq, Deserialize)]
struct Ends {
    from: i64,
    #[serde(flatten)]
    rest: Rest,
}

#[derive(Debug, PartialEq, Deserialize)]
struct Rest {
    to: i64,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(untagged)]
enum Size {
    Number(u16),
    Name(String),
}

#[derive(Debug, PartialEq, Deserialize)]
enum Choice {
    Plain,
    Of(u8),
    Pair(u8, i8),
    Wide { by: Vec<u32> },
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(try_from = "u8")]
struct Even(u8);

impl TryFrom<u8> for Even {
    type Error = &'static str;

    fn try_from(number: u8) -> Result<Self, Self::Error> {
        number.is_multiple_of(2).then_some(Self(number)).ok_or("must be even")
    }
}

#[test]
fn integers_may_be_written_as_floats_wherever_they_are() {
    assert_eq!(read("5.0"), Ok(5_u8));
    assert_eq!(read("[1e2,-0.0,255.0,3]"), Ok(vec![100_u8, 0, 255, 3]));
    assert_eq!(read("[-5.0,-1E1]"), Ok((-5_i8, -10_i64)));
    assert_eq!(
        read(r#"{"a":5.0,"b":null}"#),
        Ok(HashMap::from([("a".to_owned(), Some(5_u32)), ("b".to_owned(), None)]))
    );
    assert_eq!(read(r#"{"1":2.0}"#), Ok(BTreeMap::from([(1_u16, 2_usize)])));
    assert_eq!(read("[-9223372036854775808,-9e18]"), Ok([i64::MIN, -9_000_000_000_000_000_000]));
    assert_eq!(read("1e18"), Ok(1_000_000_000_000_000_000_u64));
    assert_eq!(read(r#"{"kind":"circle","radius":5.0}"#), Ok(Shape::Circle { radius: 5 }));
    assert_eq!(
        read(r#"{"kind":"line","from":-1.0,"to":2e0}"#),
        Ok(Shape::Line(Ends { from: -1, rest: Rest { to: 2 } }))
    );
    assert_eq!(read("[7.0,\"large\"]"), Ok([Size::Number(7), Size::Name("large".to_owned())]));
    assert_eq!(
        read(r#"["Plain",{"Of":1.0},{"Pair":[1.0,-1.0]},{"Wide":{"by":[3.0]}}]"#),
        Ok([Choice::Plain, Choice::Of(1), Choice::Pair(1, -1), Choice::Wide { by: vec![3] }])
    );
    assert_eq!(from_value(json!({ "a": 3.0 })), Ok(BTreeMap::from([("a".to_owned(), 3_u8)])));
}

#[test]
fn floats_and_texts_stay_what_they_are() {
    assert_eq!(read("[5,5.5,1e300]"), Ok([5.0, 5.5, 1e300]));
    assert!(read::<f64>("-0.0").unwrap().is_sign_negative());
    assert_eq!(read::<Box<RawValue>>("[5.0, 1e2]").unwrap().get(), "[5.0, 1e2]");
    assert_eq!(read("340282366920938463463374607431768211455"), Ok(u128::MAX));
    assert_eq!(
        read(r#"{"a":["é\n",'x']}"#.replace('\'', "\"").as_str()),
        Ok(json!({ "a": ["é\n", "x"] }))
    );
    assert_eq!(read("[1,2.5,null,true]"), Ok(json!([1, 2.5, null, true])));
    assert_eq!(read(r#"["x","\u00e9"]"#), Ok(['x', 'é']));
    assert_eq!(read("[-170141183460469231731687303715884105728,5.0]"), Ok([i128::MIN, 5]));
    assert_eq!(read("null"), Ok(()));
    assert_eq!(read::<serde::de::IgnoredAny>(r#"{"a":"\ud800"}"#), Ok(serde::de::IgnoredAny));
}

#[test]
fn what_does_not_fit_is_told_in_the_words_of_json() {
    let whole = "must be a whole number from 0 to 255, not";
    for (json, given) in [
        ("5.5", "`5.5`"),
        ("256", "`256`"),
        ("-1", "`-1`"),
        ("256.0", "`256.0`"),
        ("1e300", "`1e300`"),
        ("\"5\"", "`\"5\"`"),
        ("true", "`true`"),
        ("null", "`null`"),
        ("[5]", "a list"),
        ("{\"a\":[5]}", "an object"),
    ] {
        let told = problem::<u8>(json).replace("1e+300", "1e300");
        assert_eq!(told, format!("{whole} {given}"));
    }
    assert!(read::<i64>("-9223372036854775809").is_err());
    assert!(read::<u64>("18446744073709551616").is_err());
    assert_eq!(problem::<f64>("\"1\""), "must be a number");
    assert_eq!(problem::<bool>("1"), "must be `true` or `false`");
    assert_eq!(problem::<String>("5.0"), "must be a string");
    assert_eq!(problem::<String>("null"), "must be a string");
    assert_eq!(problem::<Rest>("\"x\""), "must be an object");
    assert_eq!(problem::<Vec<u8>>("{}"), "must be a list");
    assert_eq!(problem::<BTreeMap<String, u8>>("[]"), "must be an object");
    assert_eq!(problem::<Vec<u128>>("[5.5]"), "`[0]` must be a whole number, not `5.5`");
    assert!(read::<u128>("-5").is_err() && read::<u128>("\"5\"").is_err());
    assert_eq!(problem::<(u8, u8)>("[1,2,3]"), "must be a list of that many items");
    assert_eq!(problem::<NonZeroU8>("0"), "must be a nonzero u8, not `0`");
    assert_eq!(problem::<(u8, u8)>("[1]"), "has only 1 items");
    let choices = "must be one of `Plain`, `Of`, `Pair`, `Wide`";
    assert_eq!(problem::<Choice>("\"Other\""), format!("{choices}, not `Other`"));
    assert_eq!(problem::<Choice>("5"), choices);
    assert_eq!(problem::<Choice>("\"Of\""), "`Of` is not what this choice takes");
    assert_eq!(problem::<Vec<f64>>("[1e999]"), "`[0]` number out of range");
}

#[test]
fn errors_know_their_place() {
    assert_eq!(problem::<Rest>("{}"), "`to` is missing");
    assert_eq!(problem::<Rest>(r#"{"to":1,"to":2}"#), "`to` is given twice");
    assert_eq!(problem::<Vec<Rest>>(r#"[{"to":1},{}]"#), "`[1]` `to` is missing");
    assert_eq!(
        problem::<BTreeMap<String, Vec<Rest>>>(r#"{"a":[{"to":1},{"to":"x"}]}"#),
        "`a[1].to` must be a whole number from -9223372036854775808 to 9223372036854775807, not \
         `\"x\"`"
    );
    assert_eq!(
        problem::<Vec<Choice>>(r#"[{"Wide":{"by":[1,-1]}}]"#),
        "`[0].Wide.by[1]` must be a whole number from 0 to 4294967295, not `-1`"
    );
    assert_eq!(problem::<BTreeMap<String, Even>>(r#"{"a":2,"b":3}"#), "`b` is wrong: must be even");
    assert_eq!(
        problem::<BTreeMap<u8, u8>>(r#"{"300":1}"#),
        "must be a whole number from 0 to 255, not `300`"
    );
    assert_eq!(
        problem::<Shape>(r#"{"kind":"circle","radius":"1"}"#),
        "must be a whole number in its range, not `\"1\"`"
    );
    assert_eq!(
        problem::<Shape>(r#"{"kind":"circle","radius":300}"#),
        "must be a whole number in its range, not `300`"
    );
}

#[test]
fn half_a_surrogate_pair_is_no_text_wherever_it_is() {
    let told = |path: &str| format!("{path}has an escape that is not a Unicode scalar value");
    assert_eq!(problem::<String>(r#""\ud800""#), told(""));
    assert_eq!(problem::<Value>(r#"{"a":["","\ud800\ud800"]}"#), told("`a[1]` "));
    assert_eq!(problem::<Value>(r#"{"a":{"\udc00":1}}"#), told("`a` "));
    assert_eq!(problem::<Vec<char>>(r#"["\udfff"]"#), told("`[0]` "));
}
