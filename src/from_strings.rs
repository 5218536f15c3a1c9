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

use std::fmt;

use serde::de::value::StringDeserializer;
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, Error, Expected, IntoDeserializer, MapAccess,
    Unexpected, Visitor,
};
use serde::forward_to_deserialize_any;
use serde_json::Number;

/// Which of the strings is wrong, and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` {reason}")]
pub(crate) struct InvalidValue {
    /// Empty where the type is none that strings with names can be read into.
    pub(crate) name: String,
    /// What follows the name in a sentence.
    pub(crate) reason: String,
}

/// Reads a struct, or a map, field by field.
pub(crate) fn read<T: DeserializeOwned>(values: Vec<(String, String)>) -> Result<T, InvalidValue> {
    T::deserialize(Fields { rest: values.into_iter(), value: None })
}

impl InvalidValue {
    fn new(name: &str, reason: String) -> Self {
        Self { name: name.to_owned(), reason }
    }

    fn expected(expected: &str, text: &str) -> Self {
        Self::new("", format!("must be {expected}, not `{text}`"))
    }

    /// Names the field, where serde has not.
    fn of(mut self, name: String) -> Self {
        if self.name.is_empty() {
            self.name = name;
        }
        self
    }
}

impl Error for InvalidValue {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new("", format!("is wrong: {message}"))
    }

    fn invalid_type(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::invalid_value(unexpected, expected)
    }

    fn invalid_value(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let reason = match unexpected {
            Unexpected::Str(text) => format!("must be {expected}, not `{text}`"),
            Unexpected::Unsigned(number) => format!("must be {expected}, not `{number}`"),
            Unexpected::Signed(number) => format!("must be {expected}, not `{number}`"),
            _ => format!("must be {expected}"),
        };
        Self::new("", reason)
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        let choices: Vec<_> = expected.iter().map(|name| format!("`{name}`")).collect();
        Self::new("", format!("must be one of {}, not `{variant}`", choices.join(", ")))
    }

    fn unknown_field(field: &str, _: &'static [&'static str]) -> Self {
        Self::new(field, "is not known".to_owned())
    }

    fn missing_field(field: &'static str) -> Self {
        Self::new(field, "is missing".to_owned())
    }

    fn duplicate_field(field: &'static str) -> Self {
        Self::new(field, "is given twice".to_owned())
    }
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
        seed.deserialize(Text(text)).map_err(|error| error.of(name))
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

/// One string.
struct Text(String);

impl Text {
    /// An integer, within the range of its type. Outside of the generic code, once for all types.
    fn whole(&self, smallest: i64, largest: u64) -> Result<Number, InvalidValue> {
        let fits = |number: &Number| match (number.as_u64(), number.as_i64()) {
            (Some(number), _) => number <= largest,
            (None, Some(number)) => number >= smallest,
            (None, None) => false,
        };
        self.0.parse().ok().filter(fits).ok_or_else(|| {
            let expected = format!("a whole number from {smallest} to {largest}");
            InvalidValue::expected(&expected, &self.0)
        })
    }

    fn fraction(&self) -> Result<f64, InvalidValue> {
        let number: Option<Number> = self.0.parse().ok();
        let number = number.and_then(|number| number.as_f64());
        number.ok_or_else(|| InvalidValue::expected("a number", &self.0))
    }

    fn flag(&self) -> Result<bool, InvalidValue> {
        self.0.parse().map_err(|_| InvalidValue::expected("`true` or `false`", &self.0))
    }
}

macro_rules! whole_numbers {
    ($($method:ident: $number:ident),*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, InvalidValue> {
            let number = self.whole($number::MIN as i64, $number::MAX as u64)?;
            match number.as_u64() {
                Some(number) => visitor.visit_u64(number),
                None => visitor.visit_i64(number.as_i64().unwrap_or_default()),
            }
        }
    )*};
}

macro_rules! not_from_a_string {
    ($($method:ident($($argument:ty),*): $kind:literal),*) => {$(
        fn $method<V: Visitor<'de>>(self, $(_: $argument,)* _: V) -> Result<V::Value, InvalidValue> {
            Err(InvalidValue::new("", format!("is {}, which a string cannot be", $kind)))
        }
    )*};
}

impl<'de> Deserializer<'de> for Text {
    type Error = InvalidValue;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, InvalidValue> {
        visitor.visit_string(self.0)
    }

    whole_numbers! {
        deserialize_i8: i8, deserialize_i16: i16, deserialize_i32: i32, deserialize_i64: i64,
        deserialize_u8: u8, deserialize_u16: u16, deserialize_u32: u32, deserialize_u64: u64
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, InvalidValue> {
        visitor.visit_f64(self.fraction()?)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, InvalidValue> {
        visitor.visit_f64(self.fraction()?)
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, InvalidValue> {
        visitor.visit_bool(self.flag()?)
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

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, InvalidValue> {
        let variant: StringDeserializer<InvalidValue> = self.0.into_deserializer();
        variant.deserialize_enum(name, variants, visitor)
    }

    not_from_a_string! {
        deserialize_seq(): "a list",
        deserialize_tuple(usize): "a list",
        deserialize_tuple_struct(&'static str, usize): "a list",
        deserialize_map(): "an object",
        deserialize_struct(&'static str, &'static [&'static str]): "an object",
        deserialize_unit(): "nothing",
        deserialize_unit_struct(&'static str): "nothing"
    }

    forward_to_deserialize_any! {
        i128 u128 char str string bytes byte_buf identifier ignored_any
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

    fn problem<T: DeserializeOwned + fmt::Debug>(values: &[(&str, &str)]) -> String {
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
    fn p2_what_cannot_be_read_is_named_in_words() {
        let wrong = |name: &'static str, value: &'static str| {
            let mut values = GIVEN.to_vec();
            values.retain(|(other, _)| *other != name);
            values.push((name, value));
            problem::<Arguments>(&values)
        };
        for text in ["abc", "", "1.5", "256", "-1", " 7", "7 ", "0x7", "99999999999999999999"] {
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
        assert_eq!(problem::<u8>(&given), "`` must be u8");
    }
}
