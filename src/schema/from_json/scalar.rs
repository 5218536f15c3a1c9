//! Values as integers, and names: what is read before its type is known.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Number;

use crate::error::excerpt;
use crate::schema::invalid::InvalidValue;
use crate::schema::leaf::number;

/// A value, as far as an integer type is concerned.
pub(super) enum Scalar<'de> {
    Null,
    Bool(bool),
    Number(Number),
    Text(Cow<'de, str>),
    List,
    Object,
}

impl<'de> Scalar<'de> {
    /// An integer within limits, however it is written.
    pub(super) fn whole(&self, smallest: i64, largest: u64) -> Result<Number, InvalidValue> {
        let whole = match self {
            Self::Number(number) => number::whole(number, smallest, largest),
            _ => None,
        };
        whole.ok_or_else(|| {
            let expected = format!("a whole number from {smallest} to {largest}");
            InvalidValue::expected(&expected, &self.in_words())
        })
    }

    fn in_words(&self) -> String {
        match self {
            Self::Null => "`null`".to_owned(),
            Self::Bool(flag) => format!("`{flag}`"),
            Self::Number(number) => format!("`{number}`"),
            Self::Text(text) => format!("`\"{}\"`", excerpt(text)),
            Self::List => "a list".to_owned(),
            Self::Object => "an object".to_owned(),
        }
    }
}

/// Reads a scalar; a container is skipped.
pub(super) struct ScalarVisitor;

impl<'de> Visitor<'de> for ScalarVisitor {
    type Value = Scalar<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value")
    }

    fn visit_unit<E: Error>(self) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Null)
    }

    fn visit_bool<E: Error>(self, flag: bool) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Bool(flag))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Number(number.into()))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Number(number.into()))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Scalar<'de>, E> {
        Ok(Number::from_f64(number).map_or(Scalar::Null, Scalar::Number))
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Text(text.into()))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Text(text.to_owned().into()))
    }

    fn visit_string<E: Error>(self, text: String) -> Result<Scalar<'de>, E> {
        Ok(Scalar::Text(text.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Scalar<'de>, A::Error> {
        IgnoredAny.visit_seq(items).map(|_| Scalar::List)
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Scalar<'de>, A::Error> {
        IgnoredAny.visit_map(members).map(|_| Scalar::Object)
    }
}

/// Reads the name of a member or of a variant.
pub(super) struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Name {
    type Value = Cow<'de, str>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a name")
    }

    fn visit_borrowed_str<E: Error>(self, name: &'de str) -> Result<Self::Value, E> {
        Ok(name.into())
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Self::Value, E> {
        Ok(name.to_owned().into())
    }
}
