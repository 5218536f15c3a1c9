//! Header fields of WASI 0.3.

use wasip3::http::types::{ErrorCode, Fields as WasiFields};

use crate::headers::map::Fields;

/// How a body ends: with trailers or without, or not as it should.
pub(super) type Trailers = Result<Option<WasiFields>, ErrorCode>;

/// A host that forbids a field still gets the others.
pub(super) fn to_wasi(fields: Fields) -> WasiFields {
    let pairs = fields.into_pairs();
    WasiFields::from_list(&pairs).unwrap_or_else(|_| {
        let fields = WasiFields::new();
        for (name, value) in &pairs {
            let _ = fields.append(name, value);
        }
        fields
    })
}
