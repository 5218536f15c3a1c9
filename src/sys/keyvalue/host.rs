//! `wasi:keyvalue`, in one of its two versions.

use crate::error::StoreError as Error;
use crate::sys::storage::keyvalue::{atomics, store};

#[derive(Debug)]
pub(crate) struct Bucket(store::Bucket);

impl Bucket {
    pub(crate) fn open(name: &str) -> Result<Self, Error> {
        let opened = match store::open(name) {
            // The only bucket of wasmtime has no name.
            Err(store::Error::NoSuchStore) if name == "default" => store::open(""),
            opened => opened,
        };
        opened.map(Self).map_err(Error::from)
    }

    pub(crate) fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Error> {
        Ok(self.0.get(key)?)
    }

    pub(crate) fn set(&self, key: &str, value: &[u8]) -> Result<(), Error> {
        Ok(self.0.set(key, value)?)
    }

    pub(crate) fn delete(&self, key: &str) -> Result<(), Error> {
        Ok(self.0.delete(key)?)
    }

    pub(crate) fn exists(&self, key: &str) -> Result<bool, Error> {
        Ok(self.0.exists(key)?)
    }

    /// The keys of all pages. A page without keys is the last one, whatever its cursor.
    pub(crate) fn keys(&self) -> Result<Vec<String>, Error> {
        let mut page = self.0.list_keys(None)?;
        let mut keys = page.keys;
        while let Some(cursor) = page.cursor.take() {
            #[cfg(feature = "spin")]
            let cursor = cursor.as_str();
            page = self.0.list_keys(Some(cursor))?;
            if page.keys.is_empty() {
                break;
            }
            keys.append(&mut page.keys);
        }
        Ok(keys)
    }

    pub(crate) fn increment(&self, key: &str, delta: u32) -> Result<u64, Error> {
        let sum = atomics::increment(&self.0, key, delta.into())?;
        #[cfg(feature = "spin")]
        let sum =
            u64::try_from(sum).map_err(|_| Error::Other("the number is negative".to_owned()))?;
        Ok(sum)
    }
}

impl From<store::Error> for Error {
    fn from(error: store::Error) -> Self {
        match error {
            store::Error::NoSuchStore => Self::NoSuchStore,
            store::Error::AccessDenied => Self::AccessDenied,
            store::Error::Other(reason) => Self::Other(reason),
        }
    }
}
