//! `wasi:keyvalue@0.2.0-draft`, the version of wasmtime and wasmCloud.

use wasmtime::component::{Linker, Resource};

use self::bindings::wasi::keyvalue::{atomics, batch, store};
use super::{
    stores::{Bucket, Failure},
    view::{HasKeyValueView, KeyValueView},
};

mod bindings {
    wasmtime::component::bindgen!({
        path: "wit/keyvalue-draft.wit",
        inline: "
            package midge:host;
            world keyvalue {
                import wasi:keyvalue/store@0.2.0-draft;
                import wasi:keyvalue/atomics@0.2.0-draft;
                import wasi:keyvalue/batch@0.2.0-draft;
            }
        ",
        imports: { default: trappable },
        with: { "wasi:keyvalue/store.bucket": crate::runtime::keyvalue::stores::Bucket },
        trappable_error_type: { "wasi:keyvalue/store.error" => crate::runtime::keyvalue::stores::Failure },
    });
}

shared!(store);

impl store::HostBucket for KeyValueView<'_> {
    shared!(bucket);

    fn list_keys(
        &mut self,
        bucket: Resource<Bucket>,
        cursor: Option<u64>,
    ) -> Result<store::KeyResponse, Failure> {
        let first = cursor.unwrap_or(0);
        let (keys, more) = self.table.get(&bucket)?.keys_from(first);
        let cursor = more.then_some(first.saturating_add(keys.len() as u64));
        Ok(store::KeyResponse { keys, cursor })
    }
}

impl atomics::Host for KeyValueView<'_> {
    fn increment(
        &mut self,
        bucket: Resource<Bucket>,
        key: String,
        delta: u64,
    ) -> Result<u64, Failure> {
        let sum = self.table.get(&bucket)?.increment(key, delta.into())?;
        u64::try_from(sum).map_err(|_| Failure::Other("the number is negative".to_owned()))
    }
}

impl batch::Host for KeyValueView<'_> {
    fn get_many(
        &mut self,
        bucket: Resource<Bucket>,
        keys: Vec<String>,
    ) -> Result<Vec<Option<(String, Vec<u8>)>>, Failure> {
        let bucket = self.table.get(&bucket)?;
        let values = bucket.get_many(&keys)?;
        let entry = |(key, value): (String, Option<Vec<u8>>)| value.map(|value| (key, value));
        Ok(keys.into_iter().zip(values).map(entry).collect())
    }

    shared!(batch);
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use std::sync::Arc;

    use wasmtime::component::ResourceTable;

    use super::{
        super::stores::Stores, atomics::Host as _, batch::Host as _, store::HostBucket as _, *,
    };
    use crate::config::Config;

    #[test]
    fn batches_pages_and_counters_have_the_types_of_this_version() {
        let config = Config { keyvalue: vec!["default".to_owned()], ..Config::default() };
        let (stores, mut table) = (Arc::new(Stores::new(&config).unwrap()), ResourceTable::new());
        let mut view = KeyValueView { stores: &stores, table: &mut table };
        let bucket = store::Host::open(&mut view, String::new()).ok().unwrap();
        let lend = || Resource::<Bucket>::new_borrow(bucket.rep());
        let entries = (0..1001).map(|number| (format!("{number:04}"), Vec::new())).collect();
        view.set_many(lend(), entries).ok().unwrap();
        let page = view.list_keys(lend(), None).ok().unwrap();
        assert_eq!((page.keys.len(), page.cursor), (1000, Some(1000)));
        let page = view.list_keys(lend(), page.cursor).ok().unwrap();
        assert_eq!((page.keys, page.cursor), (vec!["1000".to_owned()], None));
        view.delete_many(lend(), vec!["0000".to_owned()]).ok().unwrap();
        let names = ["0000", "0001"].map(str::to_owned).to_vec();
        let found = view.get_many(lend(), names).ok().unwrap();
        assert_eq!(found, [None, Some(("0001".to_owned(), Vec::new()))]);
        assert_eq!(view.increment(lend(), "n".to_owned(), 2).ok(), Some(2));
        assert!(view.increment(lend(), "n".to_owned(), u64::MAX).is_err());
        let failure = view.increment(lend(), "0001".to_owned(), 1).unwrap_err();
        let error = store::Host::convert_error(&mut view, failure).unwrap();
        assert!(matches!(error, store::Error::Other(reason) if reason.contains("not a number")));
        assert!(store::Host::open(&mut view, "other".to_owned()).is_err());
    }
}
