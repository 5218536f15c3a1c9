//! `wasi:keyvalue@0.2.0-draft2`, the version of Spin.

use wasmtime::component::{Linker, Resource};

use self::bindings::wasi::keyvalue::{atomics, batch, store};
use super::{
    stores::{Bucket, Failure},
    view::{HasKeyValueView, KeyValueView},
};

mod bindings {
    wasmtime::component::bindgen!({
        path: "wit/keyvalue-draft2.wit",
        inline: "
            package midge:host;
            world keyvalue {
                import wasi:keyvalue/store@0.2.0-draft2;
                import wasi:keyvalue/atomics@0.2.0-draft2;
                import wasi:keyvalue/batch@0.2.0-draft2;
            }
        ",
        imports: { default: trappable },
        with: {
            "wasi:keyvalue/store.bucket": crate::runtime::keyvalue::stores::Bucket,
            "wasi:keyvalue/atomics.cas": crate::runtime::keyvalue::draft2::Cas,
        },
        trappable_error_type: {
            "wasi:keyvalue/store.error" => crate::runtime::keyvalue::stores::Failure,
            "wasi:keyvalue/atomics.cas-error" => crate::runtime::keyvalue::draft2::CasFailure,
        },
    });
}

shared!(store);

impl store::HostBucket for KeyValueView<'_> {
    shared!(bucket);

    fn list_keys(
        &mut self,
        bucket: Resource<Bucket>,
        cursor: Option<String>,
    ) -> Result<store::KeyResponse, Failure> {
        let (keys, more) = self.table.get(&bucket)?.keys_after(cursor.as_deref());
        let cursor = keys.last().filter(|_| more).cloned();
        Ok(store::KeyResponse { keys, cursor })
    }
}

/// A compare-and-swap handle: the version of a value that a guest has seen.
#[allow(unreachable_pub, reason = "generated code exports it")]
pub struct Cas {
    bucket: Bucket,
    key: String,
    version: Option<u64>,
}

impl Cas {
    fn new(bucket: &Bucket, key: String) -> Self {
        Self { bucket: bucket.clone(), version: bucket.version(&key), key }
    }
}

/// Why a value was not swapped.
#[allow(unreachable_pub, reason = "generated code exports it")]
pub enum CasFailure {
    Store(Failure),
    /// The value was changed meanwhile. Carries a handle for the next try.
    Lost(Cas),
    Trap(wasmtime::Error),
}

impl From<Failure> for CasFailure {
    fn from(failure: Failure) -> Self {
        Self::Store(failure)
    }
}

impl atomics::HostCas for KeyValueView<'_> {
    fn new(&mut self, bucket: Resource<Bucket>, key: String) -> Result<Resource<Cas>, Failure> {
        let cas = Cas::new(self.table.get(&bucket)?, key);
        Ok(self.table.push(cas)?)
    }

    fn current(&mut self, cas: Resource<Cas>) -> Result<Option<Vec<u8>>, Failure> {
        let cas = self.table.get_mut(&cas)?;
        cas.version = cas.bucket.version(&cas.key);
        Ok(cas.bucket.get(&cas.key))
    }

    fn drop(&mut self, cas: Resource<Cas>) -> wasmtime::Result<()> {
        self.table.delete(cas)?;
        Ok(())
    }
}

impl atomics::Host for KeyValueView<'_> {
    fn increment(
        &mut self,
        bucket: Resource<Bucket>,
        key: String,
        delta: i64,
    ) -> Result<i64, Failure> {
        let sum = self.table.get(&bucket)?.increment(key, delta.into())?;
        i64::try_from(sum).map_err(|error| Failure::Other(error.to_string()))
    }

    fn swap(&mut self, cas: Resource<Cas>, value: Vec<u8>) -> Result<(), CasFailure> {
        let Cas { bucket, key, version } =
            self.table.delete(cas).map_err(|error| CasFailure::Trap(error.into()))?;
        if bucket.swap(key.clone(), version, value)? {
            Ok(())
        } else {
            Err(CasFailure::Lost(Cas::new(&bucket, key)))
        }
    }

    fn convert_cas_error(&mut self, failure: CasFailure) -> wasmtime::Result<atomics::CasError> {
        Ok(match failure {
            CasFailure::Store(failure) => {
                atomics::CasError::StoreError(store::Host::convert_error(self, failure)?)
            }
            CasFailure::Lost(cas) => atomics::CasError::CasFailed(self.table.push(cas)?),
            CasFailure::Trap(error) => return Err(error),
        })
    }
}

impl batch::Host for KeyValueView<'_> {
    fn get_many(
        &mut self,
        bucket: Resource<Bucket>,
        keys: Vec<String>,
    ) -> Result<Vec<(String, Option<Vec<u8>>)>, Failure> {
        let bucket = self.table.get(&bucket)?;
        let values = bucket.get_many(&keys)?;
        Ok(keys.into_iter().zip(values).collect())
    }

    shared!(batch);
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use std::sync::Arc;

    use wasmtime::component::ResourceTable;

    use super::{
        super::stores::Stores, atomics::Host as _, atomics::HostCas as _, batch::Host as _, *,
    };
    use crate::config::Config;

    fn stores() -> Arc<Stores> {
        let config = Config { keyvalue: vec!["default".to_owned()], ..Config::default() };
        Arc::new(Stores::new(&config).unwrap())
    }

    /// Borrows a resource, as guests do.
    fn lend<T: 'static>(resource: &Resource<T>) -> Resource<T> {
        Resource::new_borrow(resource.rep())
    }

    fn text(value: &str) -> Vec<u8> {
        value.as_bytes().to_vec()
    }

    #[test]
    fn a_failed_swap_returns_a_handle_for_the_next_try() {
        let (stores, mut table) = (stores(), ResourceTable::new());
        let mut view = KeyValueView { stores: &stores, table: &mut table };
        let bucket = store::Host::open(&mut view, "default".to_owned()).ok().unwrap();
        let new =
            |view: &mut KeyValueView<'_>| view.new(lend(&bucket), "a".to_owned()).ok().unwrap();
        let (first, second) = (new(&mut view), new(&mut view));
        assert!(matches!(view.current(lend(&first)), Ok(None)));
        assert!(view.swap(first, text("1")).is_ok());
        let Err(lost) = view.swap(second, text("2")) else { unreachable!("it was too late") };
        let error = view.convert_cas_error(lost).unwrap();
        let atomics::CasError::CasFailed(next) = error else { unreachable!("{error:?}") };
        assert_eq!(view.current(lend(&next)).ok().unwrap(), Some(text("1")));
        assert!(view.swap(next, text("2")).is_ok());
        let value = store::HostBucket::get(&mut view, lend(&bucket), "a".to_owned());
        assert_eq!(value.ok().unwrap(), Some(text("2")));
    }

    #[test]
    fn batches_do_the_same_as_single_calls() {
        let (stores, mut table) = (stores(), ResourceTable::new());
        let mut view = KeyValueView { stores: &stores, table: &mut table };
        let bucket = store::Host::open(&mut view, String::new()).ok().unwrap();
        let names = ["a", "b"].map(str::to_owned);
        let entries = names.clone().map(|name| (name, text("1"))).to_vec();
        view.set_many(lend(&bucket), entries).ok().unwrap();
        view.delete_many(lend(&bucket), vec!["b".to_owned(), "c".to_owned()]).ok().unwrap();
        let found = view.get_many(lend(&bucket), names.to_vec()).ok().unwrap();
        assert_eq!(found, [("a".to_owned(), Some(text("1"))), ("b".to_owned(), None)]);
        assert_eq!(view.increment(lend(&bucket), "a".to_owned(), -3).ok(), Some(-2));
    }
}
