//! `wasi:config`.

use crate::sys::storage::config::store::{self, Error};

/// The value of a name, or why it cannot be had.
pub(crate) fn get(name: &str) -> Result<Option<String>, String> {
    store::get(name).map_err(|error| match error {
        Error::Upstream(reason) | Error::Io(reason) => reason,
    })
}
