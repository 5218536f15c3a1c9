//! Numbers that JSON does not have.
//!
//! serde_json writes `NaN` and the infinities as `null`, which breaks the schema of a number. Only
//! a value whose JSON has a `null` is looked at again.

use serde::ser::{
    Error as _, Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant,
    SerializeTuple, SerializeTupleStruct, SerializeTupleVariant, Serializer,
};
use serde_json::Error;
use serde_json::value::{RawValue, to_raw_value};

/// Writes a value as JSON.
///
/// # Errors
/// When the value has a number that is not finite, or is no JSON otherwise.
pub(crate) fn to_json(value: &impl Serialize) -> Result<Box<RawValue>, Error> {
    let json = to_raw_value(value)?;
    if json.get().contains("null") {
        value.serialize(Finite)?;
    }
    Ok(json)
}

/// Writes nothing, and fails at a number that JSON does not have.
#[derive(Clone, Copy)]
struct Finite;

type Checked = Result<(), Error>;

macro_rules! fine {
    ($($method:ident($($argument:ty),*)),*) => {$(
        fn $method(self, $(_: $argument),*) -> Checked {
            Ok(())
        }
    )*};
}

macro_rules! containers {
    ($($method:ident($($argument:ty),*)),*) => {$(
        fn $method(self, $(_: $argument),*) -> Result<Self, Error> {
            Ok(self)
        }
    )*};
}

impl Serializer for Finite {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Self;
    type SerializeTuple = Self;
    type SerializeTupleStruct = Self;
    type SerializeTupleVariant = Self;
    type SerializeMap = Self;
    type SerializeStruct = Self;
    type SerializeStructVariant = Self;

    fine! {
        serialize_bool(bool), serialize_i8(i8), serialize_i16(i16), serialize_i32(i32),
        serialize_i64(i64), serialize_i128(i128), serialize_u8(u8), serialize_u16(u16),
        serialize_u32(u32), serialize_u64(u64), serialize_u128(u128), serialize_char(char),
        serialize_str(&str), serialize_bytes(&[u8]), serialize_none(), serialize_unit(),
        serialize_unit_struct(&'static str),
        serialize_unit_variant(&'static str, u32, &'static str)
    }

    fn serialize_f32(self, number: f32) -> Checked {
        self.serialize_f64(number.into())
    }

    fn serialize_f64(self, number: f64) -> Checked {
        if number.is_finite() { Ok(()) } else { Err(Error::custom(format!("{number} is no JSON"))) }
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Checked {
        value.serialize(self)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Checked {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        value: &T,
    ) -> Checked {
        value.serialize(self)
    }

    containers! {
        serialize_seq(Option<usize>), serialize_tuple(usize),
        serialize_tuple_struct(&'static str, usize),
        serialize_tuple_variant(&'static str, u32, &'static str, usize),
        serialize_map(Option<usize>), serialize_struct(&'static str, usize),
        serialize_struct_variant(&'static str, u32, &'static str, usize)
    }
}

macro_rules! elements {
    ($($container:ident: $method:ident($($name:ty)?)),*) => {$(
        impl $container for Finite {
            type Ok = ();
            type Error = Error;

            fn $method<T: Serialize + ?Sized>(&mut self, $(_: $name,)? value: &T) -> Checked {
                value.serialize(*self)
            }

            fn end(self) -> Checked {
                Ok(())
            }
        }
    )*};
}

elements! {
    SerializeSeq: serialize_element(), SerializeTuple: serialize_element(),
    SerializeTupleStruct: serialize_field(), SerializeTupleVariant: serialize_field(),
    SerializeStruct: serialize_field(&'static str),
    SerializeStructVariant: serialize_field(&'static str)
}

impl SerializeMap for Finite {
    type Ok = ();
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, _: &T) -> Checked {
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Checked {
        value.serialize(*self)
    }

    fn end(self) -> Checked {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;

    #[derive(serde::Serialize)]
    enum Any {
        Unit,
        Newtype(f32),
        Tuple(u8, Option<f64>),
        Struct { ratio: f64 },
    }

    #[test]
    fn numbers_that_json_does_not_have_are_errors_wherever_they_are() {
        let infinite = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY];
        for number in infinite {
            assert!(to_json(&number).is_err());
            assert!(to_json(&Some(vec![1.0, number])).is_err());
            assert!(to_json(&BTreeMap::from([("a", (0, number))])).is_err());
            assert!(to_json(&Any::Newtype(number as f32)).is_err());
            assert!(to_json(&Any::Tuple(1, Some(number))).is_err());
            assert!(to_json(&Any::Struct { ratio: number }).is_err());
        }
        assert_eq!(to_json(&f64::NAN).unwrap_err().to_string(), "NaN is no JSON");
    }

    #[test]
    fn null_itself_is_json() {
        for value in [Any::Unit, Any::Tuple(1, None)] {
            assert!(to_json(&value).is_ok());
        }
        assert_eq!(to_json(&json!([null, "null", 1.5])).unwrap().get(), r#"[null,"null",1.5]"#);
        assert!(to_json(&()).is_ok());
    }
}
