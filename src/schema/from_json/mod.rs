//! Typed values from JSON that a client wrote: arguments of tools and answers to forms.
//!
//! Between serde_json and the types, for what neither can do: an integer may be written as `5.0`,
//! as serializers without integers do, errors know their place, and their texts are those of
//! [`InvalidValue`].

mod access;
mod choice;
mod scalar;
#[cfg(test)]
mod tests;

use std::cell::Cell;
use std::fmt;
use std::str::FromStr;

use serde::de::{
    Deserialize, DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, Error, MapAccess,
    SeqAccess, Visitor,
};
use serde_json::value::RawValue;
use serde_json::{Number, Value};

use super::invalid::{InvalidValue, one_of};
use super::leaf::number;
use crate::error::excerpt;
use access::{Items, Members};
use choice::Choice;
use scalar::ScalarVisitor;

/// Reads a value from a JSON text.
pub(crate) fn read<T: DeserializeOwned>(json: &str) -> Result<T, InvalidValue> {
    let mut inner = serde_json::Deserializer::from_str(json);
    T::deserialize(Reader { inner: &mut inner, stash: &Stash::default() })
}

/// Reads a value from one that is parsed already.
pub(crate) fn from_value<T: DeserializeOwned>(value: Value) -> Result<T, InvalidValue> {
    T::deserialize(Reader { inner: value, stash: &Stash::default() })
}

/// An error on its way out through serde_json, which has a type of errors of its own.
#[derive(Default)]
struct Stash(Cell<Option<InvalidValue>>);

impl Stash {
    #[cold]
    fn keep<E: Error>(&self, error: InvalidValue) -> E {
        self.0.set(Some(error));
        E::custom("")
    }

    #[cold]
    fn take(&self, error: &dyn fmt::Display, expected: &str) -> InvalidValue {
        self.0.take().unwrap_or_else(|| InvalidValue::of_json(error, expected))
    }
}

/// A value that is still to be read.
struct Reader<'s, D> {
    inner: D,
    stash: &'s Stash,
}

/// Reads one element with its seed.
struct Element<'s, S> {
    seed: S,
    stash: &'s Stash,
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Element<'_, S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, inner: D) -> Result<S::Value, D::Error> {
        let Self { seed, stash } = self;
        seed.deserialize(Reader { inner, stash }).map_err(|error| stash.keep(error))
    }
}

impl<'de, D: Deserializer<'de>> Reader<'_, D> {
    /// An integer within the range of its type. Outside of the generic code, once for all types.
    fn whole(self, smallest: i64, largest: u64) -> Result<Number, InvalidValue> {
        let scalar = self.inner.deserialize_any(ScalarVisitor);
        scalar.map_err(|error| self.stash.take(&error, ""))?.whole(smallest, largest)
    }

    /// An integer of 128 bits, which serde_json does not read as a number of JSON: a fraction would
    /// be an error of what comes after it.
    fn wide<N: FromStr>(self) -> Result<Result<N, Number>, InvalidValue> {
        let json = Box::<RawValue>::deserialize(self.inner);
        let json = json.map_err(|error| self.stash.take(&error, ""))?;
        if let Ok(number) = json.get().parse() {
            return Ok(Ok(number));
        }
        let number: Option<Number> = json.get().parse().ok();
        number.and_then(|number| number::whole(&number, i64::MIN, u64::MAX)).map(Err).ok_or_else(
            || InvalidValue::expected("a whole number", &format!("`{}`", excerpt(json.get()))),
        )
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

macro_rules! others {
    ($($method:ident($($name:ident: $argument:ty),*): $expected:literal),*) => {$(
        fn $method<V: Visitor<'de>>(
            self,
            $($name: $argument,)*
            visitor: V,
        ) -> Result<V::Value, InvalidValue> {
            let Self { inner, stash } = self;
            let read = inner.$method($($name,)* Watch { visitor, stash });
            read.map_err(|error| stash.take(&error, $expected))
        }
    )*};
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Reader<'_, D> {
    type Error = InvalidValue;

    whole_numbers! {
        deserialize_i8: i8, deserialize_i16: i16, deserialize_i32: i32, deserialize_i64: i64,
        deserialize_u8: u8, deserialize_u16: u16, deserialize_u32: u32, deserialize_u64: u64
    }

    others! {
        deserialize_any(): "", deserialize_ignored_any(): "", deserialize_option(): "",
        deserialize_newtype_struct(name: &'static str): "",
        deserialize_bool(): "`true` or `false`",
        deserialize_f32(): "a number", deserialize_f64(): "a number",
        deserialize_char(): "a character",
        deserialize_str(): "a string", deserialize_string(): "a string",
        deserialize_identifier(): "a string",
        deserialize_bytes(): "a string", deserialize_byte_buf(): "a string",
        deserialize_unit(): "`null`", deserialize_unit_struct(name: &'static str): "`null`",
        deserialize_seq(): "a list", deserialize_map(): "an object",
        deserialize_tuple(length: usize): "a list of that many items",
        deserialize_tuple_struct(name: &'static str, length: usize): "a list of that many items",
        deserialize_struct(name: &'static str, fields: &'static [&'static str]): "an object"
    }

    fn deserialize_i128<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, InvalidValue> {
        match self.wide()? {
            Ok(number) => visitor.visit_i128(number),
            Err(number) => number::visit(&number, visitor),
        }
    }

    fn deserialize_u128<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, InvalidValue> {
        match self.wide()? {
            Ok(number) => visitor.visit_u128(number),
            Err(number) => number::visit(&number, visitor),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, InvalidValue> {
        let Self { inner, stash } = self;
        inner.deserialize_enum(name, variants, Watch { visitor, stash }).map_err(|_| {
            let kept = stash.0.take();
            kept.unwrap_or_else(|| InvalidValue::new(format!("must be {}", one_of(variants))))
        })
    }
}

/// A visitor of a type, as serde_json sees it: everything within a container is read by a
/// [`Reader`], too.
struct Watch<'s, V> {
    visitor: V,
    stash: &'s Stash,
}

macro_rules! visits {
    ($($method:ident: $value:ty),*) => {$(
        fn $method<E: Error>(self, value: $value) -> Result<V::Value, E> {
            self.visitor.$method(value).map_err(|error| self.stash.keep(error))
        }
    )*};
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Watch<'_, V> {
    type Value = V::Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.visitor.expecting(formatter)
    }

    visits! {
        visit_bool: bool, visit_i64: i64, visit_u64: u64, visit_i128: i128, visit_u128: u128,
        visit_str: &str, visit_borrowed_str: &'de str, visit_string: String,
        visit_bytes: &[u8], visit_borrowed_bytes: &'de [u8], visit_byte_buf: Vec<u8>
    }

    /// What asks for any value may be on its way to an integer, as in a tagged enum.
    fn visit_f64<E: Error>(self, value: f64) -> Result<V::Value, E> {
        let number = Number::from_f64(value).filter(|_| value.to_bits() != (-0.0_f64).to_bits());
        let whole = number.and_then(|number| number::whole(&number, i64::MIN, u64::MAX));
        let visited = match whole {
            Some(number) => number::visit(&number, self.visitor),
            None => self.visitor.visit_f64(value),
        };
        visited.map_err(|error| self.stash.keep(error))
    }

    fn visit_unit<E: Error>(self) -> Result<V::Value, E> {
        self.visitor.visit_unit().map_err(|error| self.stash.keep(error))
    }

    fn visit_none<E: Error>(self) -> Result<V::Value, E> {
        self.visitor.visit_none().map_err(|error| self.stash.keep(error))
    }

    fn visit_some<D: Deserializer<'de>>(self, inner: D) -> Result<V::Value, D::Error> {
        let Self { visitor, stash } = self;
        visitor.visit_some(Reader { inner, stash }).map_err(|error| stash.keep(error))
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, inner: D) -> Result<V::Value, D::Error> {
        let Self { visitor, stash } = self;
        visitor.visit_newtype_struct(Reader { inner, stash }).map_err(|error| stash.keep(error))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, inner: A) -> Result<V::Value, A::Error> {
        let Self { visitor, stash } = self;
        visitor.visit_seq(Items { inner, stash, index: 0 }).map_err(|error| stash.keep(error))
    }

    fn visit_map<A: MapAccess<'de>>(self, inner: A) -> Result<V::Value, A::Error> {
        let Self { visitor, stash } = self;
        let members = Members { inner, stash, name: Default::default() };
        visitor.visit_map(members).map_err(|error| stash.keep(error))
    }

    fn visit_enum<A: EnumAccess<'de>>(self, inner: A) -> Result<V::Value, A::Error> {
        let Self { visitor, stash } = self;
        visitor.visit_enum(Choice { inner, stash }).map_err(|error| stash.keep(error))
    }
}
