//! Header fields of WASI 0.3.

use wasip3::http::types::{ErrorCode, Fields as WasiFields};

use crate::sys::wasi_http::fields_function;

/// How a body ends: with trailers or without, or not as it should.
pub(super) type Trailers = Result<Option<WasiFields>, ErrorCode>;

fields_function!(WasiFields);
