//! One string as a value of any type that a string can be.

use serde::de::value::StringDeserializer;
use serde::de::{Deserializer, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;
use serde_json::Number;

use crate::error::excerpt;
use crate::schema::invalid::InvalidValue;
use crate::schema::leaf::number;

/// One string.
pub(in crate::schema) struct Text(pub(in crate::schema) String);

impl Text {
    /// An integer, within the range of its type. Outside of the generic code, once for all types.
    fn whole(&self, smallest: i64, largest: u64) -> Result<Number, InvalidValue> {
        let number: Option<Number> = self.0.parse().ok();
        number
            .and_then(|number| number::whole(&number, smallest, largest))
            .ok_or_else(|| self.is_not(&format!("a whole number from {smallest} to {largest}")))
    }

    fn fraction(&self) -> Result<f64, InvalidValue> {
        let number: Option<Number> = self.0.parse().ok();
        let number = number.and_then(|number| number.as_f64());
        number.ok_or_else(|| self.is_not("a number"))
    }

    fn flag(&self) -> Result<bool, InvalidValue> {
        self.0.parse().map_err(|_| self.is_not("`true` or `false`"))
    }

    fn is_not(&self, expected: &str) -> InvalidValue {
        InvalidValue::expected(expected, &format!("`{}`", excerpt(&self.0)))
    }
}

macro_rules! whole_numbers {
    ($($method:ident: $number:ident),*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, InvalidValue> {
            let number = self.whole($number::MIN as i64, $number::MAX as u64)?;
            number::visit(&number, visitor)
        }
    )*};
}

macro_rules! not_from_a_string {
    ($($method:ident($($argument:ty),*): $kind:literal),*) => {$(
        fn $method<V: Visitor<'de>>(self, $(_: $argument,)* _: V) -> Result<V::Value, InvalidValue> {
            Err(InvalidValue::new(format!("is {}, which a string cannot be", $kind)))
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
