//! Typed values from named strings: the arguments of a prompt and the variables of a URI template
//! are strings on the wire, whatever their types are in Rust.
//!
//! `serde_urlencoded` reads such pairs too, but from their encoded form, and its errors say neither
//! which of them was wrong nor what it was. Errors here are for the model or the person who typed
//! the argument, so they name it and speak of numbers, not of `u8`.
//!
//! Numbers and booleans are read as in JSON, by the same code; `Option` is what was given or not,
//! and an empty string was given. Fields behind `#[serde(flatten)]` are read before their types are
//! known, so that they must be strings.

mod text;

use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, Visitor,
};
use serde::forward_to_deserialize_any;

use super::invalid::InvalidValue;
pub(super) use text::Text;

/// Reads a struct, or a map, field by field.
pub(crate) fn read<T: DeserializeOwned>(values: Vec<(String, String)>) -> Result<T, InvalidValue> {
    T::deserialize(Fields { rest: values.into_iter(), value: None })
}

/// All strings with their names.
struct Fields {
    rest: std::vec::IntoIter<(String, String)>,
    /// The field whose name was taken and whose value was not.
    value: Option<(String, String)>,
}

impl<'de> MapAccess<'de> for Fields {
    type Error = InvalidValue;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, InvalidValue> {
        self.value = self.rest.next();
        let name = self.value.as_ref().map(|(name, _)| name.clone());
        name.map(|name| seed.deserialize(name.into_deserializer())).transpose()
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(
        &mut self,
        seed: V,
    ) -> Result<V::Value, InvalidValue> {
        let (name, text) = self.value.take().unwrap_or_default();
        seed.deserialize(Text(text)).map_err(|error| error.within(&name))
    }
}

impl<'de> Deserializer<'de> for Fields {
    type Error = InvalidValue;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, InvalidValue> {
        visitor.visit_map(self)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, InvalidValue> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, InvalidValue> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, InvalidValue> {
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, InvalidValue> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf seq
        tuple tuple_struct map struct enum identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, HashMap};
    use std::net::IpAddr;
    use std::num::NonZeroU8;

    use serde::Deserialize;

    use super::*;

    fn pairs(values: &[(&str, &str)]) -> Vec<(String, String)> {
        values.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn problem<T: DeserializeOwned + std::fmt::Debug>(values: &[(&str, &str)]) -> String {
        read::<T>(pairs(values)).unwrap_err().to_string()
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Tone {
        Formal,
        Casual,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct Name(String);

    #[derive(Debug, PartialEq, Deserialize)]
    struct Arguments {
        name: Name,
        letter: char,
        age: u8,
        offset: i64,
        ratio: f32,
        sure: bool,
        tone: Tone,
        address: IpAddr,
        limit: Option<u16>,
        note: Option<String>,
        #[serde(default)]
        page: u64,
    }

    const GIVEN: [(&str, &str); 9] = [
        ("name", "J\u{fc}rgen"),
        ("letter", "\u{fc}"),
        ("age", "255"),
        ("offset", "-9223372036854775808"),
        ("ratio", "0.5"),
        ("sure", "true"),
        ("tone", "casual"),
        ("address", "::1"),
        ("limit", "7"),
    ];

    #[test]
    fn p2_strings_become_what_the_fields_are() {
        assert_eq!(
            read(pairs(&GIVEN)),
            Ok(Arguments {
                name: Name("J\u{fc}rgen".to_owned()),
                letter: '\u{fc}',
                age: 255,
                offset: i64::MIN,
                ratio: 0.5,
                sure: true,
                tone: Tone::Casual,
                address: "::1".parse().unwrap(),
                limit: Some(7),
                note: None,
                page: 0,
            })
        );
    }

    #[test]
    fn p2_whole_numbers_may_be_written_as_floats() {
        type Numbers = BTreeMap<String, i64>;
        let given = [("a", "3.0"), ("b", "-1e2"), ("c", "-0.0")];
        let expected = [("a", 3), ("b", -100), ("c", 0)];
        let expected: Numbers =
            expected.into_iter().map(|(name, number)| (name.to_owned(), number)).collect();
        assert_eq!(read(pairs(&given)), Ok(expected));
        assert_eq!(
            problem::<HashMap<String, u8>>(&[("a", "3.5")]),
            "`a` must be a whole number from 0 to 255, not `3.5`"
        );
    }

    #[test]
    fn p2_what_cannot_be_read_is_named_in_words() {
        let wrong = |name: &'static str, value: &'static str| {
            let mut values = GIVEN.to_vec();
            values.retain(|(other, _)| *other != name);
            values.push((name, value));
            problem::<Arguments>(&values)
        };
        for text in
            ["abc", "", "1.5", "256.0", "256", "-1", " 7", "7 ", "0x7", "99999999999999999999"]
        {
            let expected = format!("`age` must be a whole number from 0 to 255, not `{text}`");
            assert_eq!(wrong("age", text), expected);
        }
        assert_eq!(
            wrong("offset", "-9223372036854775809"),
            "`offset` must be a whole number from -9223372036854775808 to 9223372036854775807, not \
             `-9223372036854775809`"
        );
        assert_eq!(wrong("ratio", "half"), "`ratio` must be a number, not `half`");
        assert_eq!(wrong("ratio", "NaN"), "`ratio` must be a number, not `NaN`");
        assert_eq!(wrong("ratio", "1e999"), "`ratio` must be a number, not `1e999`");
        assert_eq!(wrong("sure", "yes"), "`sure` must be `true` or `false`, not `yes`");
        assert_eq!(wrong("tone", "loud"), "`tone` must be one of `formal`, `casual`, not `loud`");
        assert_eq!(wrong("letter", "ab"), "`letter` must be a character, not `ab`");
        assert!(wrong("address", "here").starts_with("`address` is wrong: invalid IP address"));
    }

    #[test]
    fn p3_a_missing_argument_is_named() {
        assert_eq!(problem::<Arguments>(&GIVEN[1..]), "`name` is missing");
        let twice = [GIVEN[0], GIVEN[0]];
        assert_eq!(problem::<Arguments>(&twice), "`name` is given twice");
    }

    #[test]
    fn p2_unknown_arguments_are_as_the_type_wants_them() {
        #[derive(Debug, PartialEq, Deserialize)]
        struct Open {}
        #[derive(Debug, PartialEq, Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Closed {}
        assert_eq!(read(pairs(&[("a", "1")])), Ok(Open {}));
        assert_eq!(problem::<Closed>(&[("a", "1")]), "`a` is not known");
    }

    #[test]
    fn maps_and_wrapped_types_are_read_too() {
        #[derive(Debug, PartialEq, Deserialize)]
        struct Wrapped(BTreeMap<String, u8>);
        let expected = BTreeMap::from([("a".to_owned(), 1), ("b".to_owned(), 2)]);
        let given = [("a", "1"), ("b", "2")];
        assert_eq!(read(pairs(&given)), Ok(Wrapped(expected.clone())));
        assert_eq!(read(pairs(&given)), Ok(Some(expected)));
        assert_eq!(read(pairs(&given)), Ok(()));
        assert_eq!(
            problem::<HashMap<String, NonZeroU8>>(&[("a", "0")]),
            "`a` must be a nonzero u8, not `0`"
        );
    }

    #[test]
    fn what_is_more_than_a_string_is_refused() {
        #[derive(Debug, Deserialize)]
        enum Mixed {
            #[expect(dead_code, reason = "never read")]
            Number(u8),
        }
        type Of<T> = HashMap<String, T>;
        let given = [("a", "x")];
        assert_eq!(problem::<Of<Vec<u8>>>(&given), "`a` is a list, which a string cannot be");
        assert_eq!(problem::<Of<(u8, u8)>>(&given), "`a` is a list, which a string cannot be");
        assert_eq!(problem::<Of<Of<u8>>>(&given), "`a` is an object, which a string cannot be");
        assert_eq!(problem::<Of<Arguments>>(&given), "`a` is an object, which a string cannot be");
        assert_eq!(problem::<Of<()>>(&given), "`a` is nothing, which a string cannot be");
        assert_eq!(problem::<Of<Mixed>>(&[("a", "Number")]), "`a` must be newtype variant");
        assert_eq!(problem::<u8>(&given), "must be a whole number in its range, not an object");
    }
}
