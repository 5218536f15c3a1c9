//! In-memory buckets for unit tests, one set for each thread.

use std::cell::RefCell;
use std::collections::BTreeMap;

use super::Error;

type Values = BTreeMap<String, Vec<u8>>;

thread_local! {
    static BUCKETS: RefCell<BTreeMap<String, Values>> = const { RefCell::new(BTreeMap::new()) };
}

#[derive(Debug)]
pub(super) struct Bucket {
    name: String,
}

impl Bucket {
    pub(super) fn open(name: &str) -> Result<Self, Error> {
        Ok(Self { name: name.to_owned() })
    }

    fn with<T>(&self, work: impl FnOnce(&mut Values) -> T) -> T {
        BUCKETS.with_borrow_mut(|buckets| work(buckets.entry(self.name.clone()).or_default()))
    }

    pub(super) fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Error> {
        Ok(self.with(|values| values.get(key).cloned()))
    }

    pub(super) fn set(&self, key: &str, value: &[u8]) -> Result<(), Error> {
        self.with(|values| values.insert(key.to_owned(), value.to_vec()));
        Ok(())
    }

    pub(super) fn delete(&self, key: &str) -> Result<(), Error> {
        self.with(|values| values.remove(key));
        Ok(())
    }

    pub(super) fn exists(&self, key: &str) -> Result<bool, Error> {
        Ok(self.with(|values| values.contains_key(key)))
    }

    pub(super) fn keys(&self) -> Result<Vec<String>, Error> {
        Ok(self.with(|values| values.keys().cloned().collect()))
    }

    pub(super) fn increment(&self, key: &str, delta: u32) -> Result<u64, Error> {
        self.with(|values| {
            let text = values.get(key).map_or(Ok("0"), |value| std::str::from_utf8(value));
            let number = text.ok().and_then(|text| text.parse::<u64>().ok());
            let sum = number.and_then(|number| number.checked_add(delta.into()));
            let sum = sum.ok_or_else(|| Error::Other("the value is no number".to_owned()))?;
            values.insert(key.to_owned(), sum.to_string().into_bytes());
            Ok(sum)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_number_is_not_counted() {
        let bucket = Bucket::open("x").unwrap();
        bucket.set("a", b"tea").unwrap();
        assert!(matches!(bucket.increment("a", 1), Err(Error::Other(_))));
        bucket.set("a", u64::MAX.to_string().as_bytes()).unwrap();
        assert!(bucket.increment("a", 1).is_err());
        assert_eq!(bucket.increment("b", 1), Ok(1));
    }

    #[test]
    fn buckets_are_apart() {
        let [one, other] = ["one", "other"].map(|name| Bucket::open(name).unwrap());
        one.set("a", b"1").unwrap();
        assert_eq!(other.get("a"), Ok(None));
        assert_eq!(one.exists("a"), Ok(true));
        assert_eq!(Bucket::open("one").unwrap().keys(), Ok(vec!["a".to_owned()]));
    }
}
