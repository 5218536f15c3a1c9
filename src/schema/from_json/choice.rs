//! The variants of enums.

use std::borrow::Cow;

use serde::de::{DeserializeSeed, EnumAccess, VariantAccess, Visitor};

use super::access::Key;
use super::scalar::Name;
use super::{Element, Stash, Watch};
use crate::schema::invalid::InvalidValue;

/// What serde_json says of variants, in the words of JSON.
const UNFIT: &str = "is not what this choice takes";

/// An enum before its variant is known.
pub(super) struct Choice<'s, A> {
    pub(super) inner: A,
    pub(super) stash: &'s Stash,
}

/// The content of a variant.
pub(super) struct Content<'s, 'de, A> {
    inner: A,
    stash: &'s Stash,
    variant: Cow<'de, str>,
}

impl<'s, 'de, A: EnumAccess<'de>> EnumAccess<'de> for Choice<'s, A> {
    type Error = InvalidValue;
    type Variant = Content<'s, 'de, A::Variant>;

    fn variant_seed<S: DeserializeSeed<'de>>(
        self,
        seed: S,
    ) -> Result<(S::Value, Self::Variant), InvalidValue> {
        let Self { inner, stash } = self;
        let (variant, inner) = inner.variant_seed(Name).map_err(|error| stash.take(&error, ""))?;
        let value = seed.deserialize(Key(&variant))?;
        Ok((value, Content { inner, stash, variant }))
    }
}

impl<'de, A: VariantAccess<'de>> Content<'_, 'de, A> {
    fn placed<T>(self, read: impl FnOnce(A) -> Result<T, A::Error>) -> Result<T, InvalidValue> {
        let Self { inner, stash, variant } = self;
        read(inner).map_err(|_| {
            let kept = stash.0.take();
            kept.unwrap_or_else(|| InvalidValue::new(UNFIT.to_owned())).within(&variant)
        })
    }
}

impl<'de, A: VariantAccess<'de>> VariantAccess<'de> for Content<'_, 'de, A> {
    type Error = InvalidValue;

    fn unit_variant(self) -> Result<(), InvalidValue> {
        self.placed(A::unit_variant)
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(
        self,
        seed: S,
    ) -> Result<S::Value, InvalidValue> {
        let stash = self.stash;
        self.placed(|inner| inner.newtype_variant_seed(Element { seed, stash }))
    }

    fn tuple_variant<V: Visitor<'de>>(
        self,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, InvalidValue> {
        let stash = self.stash;
        self.placed(|inner| inner.tuple_variant(length, Watch { visitor, stash }))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, InvalidValue> {
        let stash = self.stash;
        self.placed(|inner| inner.struct_variant(fields, Watch { visitor, stash }))
    }
}
