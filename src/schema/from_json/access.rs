//! The elements of lists and objects, each read where it is known what it is called.

use std::borrow::Cow;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;

use super::scalar::Name;
use super::{Element, Stash};
use crate::schema::from_strings::Text;
use crate::schema::invalid::InvalidValue;

/// The items of a list.
pub(super) struct Items<'s, A> {
    pub(super) inner: A,
    pub(super) stash: &'s Stash,
    pub(super) index: usize,
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Items<'_, A> {
    type Error = InvalidValue;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, InvalidValue> {
        let element = self.inner.next_element_seed(Element { seed, stash: self.stash });
        let index = self.index;
        self.index += 1;
        element.map_err(|error| self.stash.take(&error, "").within(&format!("[{index}]")))
    }

    fn size_hint(&self) -> Option<usize> {
        self.inner.size_hint()
    }
}

/// The members of an object.
pub(super) struct Members<'s, 'de, A> {
    pub(super) inner: A,
    pub(super) stash: &'s Stash,
    /// Of the member whose value is next.
    pub(super) name: Cow<'de, str>,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Members<'_, 'de, A> {
    type Error = InvalidValue;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, InvalidValue> {
        let name = self.inner.next_key_seed(Name);
        let Some(name) = name.map_err(|error| self.stash.take(&error, ""))? else {
            return Ok(None);
        };
        self.name = name;
        seed.deserialize(Key(&self.name)).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<S::Value, InvalidValue> {
        let value = self.inner.next_value_seed(Element { seed, stash: self.stash });
        value.map_err(|error| self.stash.take(&error, "").within(&self.name))
    }

    fn size_hint(&self) -> Option<usize> {
        self.inner.size_hint()
    }
}

/// A name as a value: of a field, of a variant, or the key of a map, which may be a number.
pub(super) struct Key<'a>(pub(super) &'a str);

macro_rules! as_text {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, InvalidValue> {
            Text(self.0.to_owned()).$method(visitor)
        }
    )*};
}

impl<'de> Deserializer<'de> for Key<'_> {
    type Error = InvalidValue;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, InvalidValue> {
        visitor.visit_str(self.0)
    }

    as_text! {
        deserialize_bool deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_f32
        deserialize_f64
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
        Text(self.0.to_owned()).deserialize_enum(name, variants, visitor)
    }

    forward_to_deserialize_any! {
        i128 u128 char str string bytes byte_buf seq tuple tuple_struct map struct unit
        unit_struct identifier ignored_any
    }
}
