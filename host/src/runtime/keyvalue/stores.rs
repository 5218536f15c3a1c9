//! The stores themselves, independent of the version of the interface.

use std::{
    collections::BTreeMap,
    ops::Bound,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::{config::Config, error::HostError};

/// Bytes that an entry counts beside its key and its value.
const ENTRY_OVERHEAD: usize = 64;
/// Keys in a page of a list.
const PAGE: usize = 1000;
/// The store that is opened by an empty name.
const DEFAULT: &str = "default";

/// Why a call of a store fails.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[allow(unreachable_pub, reason = "generated code exports it")]
pub enum Failure {
    #[error("the store was not granted")]
    AccessDenied,
    #[error("{0}")]
    Other(String),
}

impl From<wasmtime::component::ResourceTableError> for Failure {
    fn from(error: wasmtime::component::ResourceTableError) -> Self {
        Self::Other(error.to_string())
    }
}

/// The stores of a host.
#[derive(Debug)]
pub(crate) struct Stores {
    limit: usize,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    /// The stores that were granted.
    stores: BTreeMap<String, Entries>,
    /// Bytes of all entries.
    used: usize,
    /// Incremented by every write.
    version: u64,
}

type Entries = BTreeMap<String, Entry>;

#[derive(Debug)]
struct Entry {
    value: Vec<u8>,
    version: u64,
}

impl Stores {
    pub(crate) fn new(config: &Config) -> Result<Self, HostError> {
        let refuse = |name: &str| HostError::Setting {
            name: "keyvalue",
            reason: format!("`{name}` is not the name of a store"),
        };
        let mut inner = Inner::default();
        for name in &config.keyvalue {
            if name.trim().is_empty() {
                return Err(refuse(name));
            }
            inner.stores.insert(name.clone(), Entries::new());
        }
        let limit = usize::try_from(config.keyvalue_size).unwrap_or(usize::MAX);
        Ok(Self { limit, inner: Mutex::new(inner) })
    }

    /// Opens a store that was granted.
    pub(crate) fn open(self: &Arc<Self>, name: &str) -> Result<Bucket, Failure> {
        let name = if name.is_empty() { DEFAULT } else { name };
        if self.lock().stores.contains_key(name) {
            Ok(Bucket { stores: Arc::clone(self), name: name.into() })
        } else {
            Err(Failure::AccessDenied)
        }
    }

    /// A poisoned lock is used: every write is checked before it changes anything.
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A store that a guest has opened.
#[derive(Clone, Debug)]
#[allow(unreachable_pub, reason = "generated code exports it")]
pub struct Bucket {
    stores: Arc<Stores>,
    name: Arc<str>,
}

impl Bucket {
    fn with<T>(&self, work: impl FnOnce(&mut Writer<'_>) -> T) -> T {
        let Inner { stores, used, version } = &mut *self.stores.lock();
        // It existed when it was opened, and stores are never removed.
        let entries = stores.entry(self.name.to_string()).or_default();
        work(&mut Writer { entries, used, version, limit: self.stores.limit })
    }

    pub(crate) fn get(&self, key: &str) -> Option<Vec<u8>> {
        self.with(|store| store.entries.get(key).map(|entry| entry.value.clone()))
    }

    /// Returns several values, together no larger than the limit of the stores: a key may be named many
    /// times.
    pub(crate) fn get_many(&self, keys: &[String]) -> Result<Vec<Option<Vec<u8>>>, Failure> {
        let mut left = self.stores.limit;
        let mut get = |key: &String| {
            let value = self.get(key);
            left = left.checked_sub(value.as_ref().map_or(0, Vec::len)).ok_or_else(|| {
                Failure::Other("the values are too large to be read at once".to_owned())
            })?;
            Ok(value)
        };
        keys.iter().map(&mut get).collect()
    }

    pub(crate) fn exists(&self, key: &str) -> bool {
        self.with(|store| store.entries.contains_key(key))
    }

    pub(crate) fn set(&self, key: String, value: Vec<u8>) -> Result<(), Failure> {
        self.with(|store| store.set(key, value))
    }

    pub(crate) fn delete(&self, key: &str) {
        self.with(|store| store.delete(key));
    }

    /// Returns the page of keys after `last`, in their order, and whether there are more.
    pub(crate) fn keys_after(&self, last: Option<&str>) -> (Vec<String>, bool) {
        let start = last.map_or(Bound::Unbounded, Bound::Excluded);
        self.with(|store| {
            page(store.entries.range::<str, _>((start, Bound::Unbounded)).map(|(key, _)| key))
        })
    }

    /// Returns the page of keys from an index on, and whether there are more.
    pub(crate) fn keys_from(&self, first: u64) -> (Vec<String>, bool) {
        let first = usize::try_from(first).unwrap_or(usize::MAX);
        self.with(|store| page(store.entries.keys().skip(first)))
    }

    /// Adds to a number, which is stored as decimal digits.
    pub(crate) fn increment(&self, key: String, delta: i128) -> Result<i128, Failure> {
        self.with(|store| {
            let text = store.entries.get(&key).map_or(&b"0"[..], |entry| &entry.value);
            let text = std::str::from_utf8(text).ok();
            let number: Option<i64> = text.and_then(|text| text.parse().ok());
            let number =
                number.ok_or_else(|| Failure::Other("the value is not a number".into()))?;
            let sum = i128::from(number).saturating_add(delta);
            if i64::try_from(sum).is_err() {
                return Err(Failure::Other("the sum is too large".to_owned()));
            }
            store.set(key, sum.to_string().into_bytes())?;
            Ok(sum)
        })
    }

    /// Returns the version of a value, or `None` if the key is not set.
    pub(crate) fn version(&self, key: &str) -> Option<u64> {
        self.with(|store| store.entries.get(key).map(|entry| entry.version))
    }

    /// Sets a value if it still has a version. Returns whether it had.
    pub(crate) fn swap(
        &self,
        key: String,
        version: Option<u64>,
        value: Vec<u8>,
    ) -> Result<bool, Failure> {
        self.with(|store| {
            let current = store.entries.get(&key).map(|entry| entry.version);
            if current != version {
                return Ok(false);
            }
            store.set(key, value).map(|()| true)
        })
    }
}

/// A locked store.
struct Writer<'a> {
    entries: &'a mut Entries,
    used: &'a mut usize,
    version: &'a mut u64,
    limit: usize,
}

impl Writer<'_> {
    fn set(&mut self, key: String, value: Vec<u8>) -> Result<(), Failure> {
        let before = self.entries.get(&key).map_or(0, |entry| size(&key, &entry.value));
        let used = (*self.used - before).saturating_add(size(&key, &value));
        if used > self.limit {
            return Err(Failure::Other(format!(
                "the key-value stores of this host are full: they have {} bytes",
                self.limit
            )));
        }
        *self.used = used;
        *self.version += 1;
        self.entries.insert(key, Entry { value, version: *self.version });
        Ok(())
    }

    fn delete(&mut self, key: &str) {
        if let Some(entry) = self.entries.remove(key) {
            *self.used -= size(key, &entry.value);
        }
    }
}

fn size(key: &str, value: &[u8]) -> usize {
    key.len() + value.len() + ENTRY_OVERHEAD
}

fn page<'a>(mut keys: impl Iterator<Item = &'a String>) -> (Vec<String>, bool) {
    let page = keys.by_ref().take(PAGE).cloned().collect();
    (page, keys.next().is_some())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    fn bucket(keyvalue_size: u64) -> Bucket {
        let keyvalue = vec!["default".to_owned()];
        let config = Config { keyvalue, keyvalue_size, ..Config::default() };
        Arc::new(Stores::new(&config).unwrap()).open("").unwrap()
    }

    #[test]
    fn only_what_was_named_can_be_opened() {
        let config = Config { keyvalue: vec!["a".to_owned()], ..Config::default() };
        let stores = Arc::new(Stores::new(&config).unwrap());
        assert!(stores.open("a").is_ok());
        assert_eq!(stores.open("b").unwrap_err(), Failure::AccessDenied);
        assert_eq!(stores.open("").unwrap_err(), Failure::AccessDenied);
        let config = Config { keyvalue: vec![" ".to_owned()], ..Config::default() };
        assert!(Stores::new(&config).is_err());
    }

    #[test]
    fn a_value_that_is_read_many_times_counts_each_time() {
        let bucket = bucket(10_000);
        bucket.set("a".to_owned(), vec![0; 5000]).unwrap();
        let keys = |count| vec!["a".to_owned(); count];
        assert_eq!(bucket.get_many(&keys(2)).unwrap().len(), 2);
        assert!(bucket.get_many(&keys(3)).is_err());
        assert_eq!(bucket.get_many(&["b".to_owned()]).unwrap(), [None]);
    }

    #[test]
    fn stores_share_a_limit_and_deleting_frees_space() {
        let bucket = bucket(200);
        let set = |key: &str, bytes: usize| bucket.set(key.to_owned(), vec![0; bytes]);
        set("a", 135).unwrap();
        assert!(set("b", 0).is_err());
        assert_eq!(bucket.get("b"), None);
        set("a", 1).unwrap();
        set("b", 60).unwrap();
        assert!(set("a", 100).is_err());
        assert_eq!(bucket.get("a"), Some(vec![0]), "a refused write changes nothing");
        bucket.delete("a");
        bucket.delete("a");
        set("c", 0).unwrap();
    }

    #[test]
    fn keys_come_in_pages() {
        let bucket = bucket(1 << 20);
        for number in 0..=PAGE {
            bucket.set(format!("{number:04}"), Vec::new()).unwrap();
        }
        let (first, more) = bucket.keys_after(None);
        assert_eq!((first.len(), more), (PAGE, true));
        assert_eq!(bucket.keys_after(first.last().map(String::as_str)).0, ["1000"]);
        assert_eq!(bucket.keys_from(1000), (vec!["1000".to_owned()], false));
        assert_eq!(bucket.keys_from(u64::MAX), (Vec::new(), false));
    }

    #[test]
    fn a_swap_fails_after_another_write() {
        let bucket = bucket(1000);
        let seen = bucket.version("a");
        assert_eq!(bucket.swap("a".to_owned(), seen, b"1".to_vec()), Ok(true));
        assert_eq!(bucket.swap("a".to_owned(), seen, b"2".to_vec()), Ok(false));
        assert_eq!(bucket.get("a"), Some(b"1".to_vec()));
    }

    #[test]
    fn only_numbers_are_incremented() {
        let bucket = bucket(1000);
        assert_eq!(bucket.increment("n".to_owned(), 5), Ok(5));
        assert_eq!(bucket.increment("n".to_owned(), -7), Ok(-2));
        assert!(bucket.increment("n".to_owned(), i128::from(u64::MAX)).is_err());
        assert_eq!(bucket.get("n"), Some(b"-2".to_vec()));
        bucket.set("n".to_owned(), b"tea".to_vec()).unwrap();
        assert!(bucket.increment("n".to_owned(), 1).is_err());
    }
}
