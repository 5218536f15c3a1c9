//! State that outlives an exchange: a key-value store of the host, by `wasi:keyvalue`.
//!
//! An instance has no memory between two exchanges; a [`Bucket`] is where a server keeps what the
//! next one must find. All instances share it, and several may be at work in it at once: what is
//! read can have changed when it is written back, and only [`Bucket::increment`] does both in one.
//! A client that goes away takes nothing back that was written.
//!
//! ```
#![doc = include_str!("../../../examples/notes.rs")]
//! ```
//!
//! # Hosts
//! Needs the feature `keyvalue`, and a host that grants the bucket:
//!
//! | host | bucket | by |
//! |---|---|---|
//! | Midge | any | `midge serve --keyvalue default` |
//! | Spin 3 and 4, with the feature `spin` | any | `key_value_stores = ["default"]` in `spin.toml` |
//! | wasmCloud | any | a link to a provider |
//! | wasmtime | `default` | `wasmtime serve -Scli -Skeyvalue`, for trials: nothing is kept |
//!
//! `wasi:keyvalue` is a draft of which the hosts have two versions. A component has one of them:
//! with the feature `spin` that of Spin, otherwise that of wasmtime and wasmCloud. Midge has both.
//!
//! In unit tests, which are native, buckets of any name are there and empty; they live as long as
//! the test's thread.
//!
//! ```
//! use midge::keyvalue::Bucket;
//!
//! let visits = Bucket::open("default")?;
//! visits.set("who", b"ada")?;
//! assert_eq!(visits.get("who")?.as_deref(), Some(&b"ada"[..]));
//! assert_eq!(visits.increment("count", 2)?, 2);
//! assert_eq!(visits.increment("count", 1)?, 3);
//! visits.delete("who")?;
//! assert_eq!(visits.keys()?, ["count"]);
//! # Ok::<(), midge::keyvalue::Error>(())
//! ```

#[cfg(target_family = "wasm")]
mod host;
#[cfg(not(target_family = "wasm"))]
mod memory;

pub use crate::error::StoreError as Error;

#[cfg(not(target_family = "wasm"))]
use memory as backend;

#[cfg(target_family = "wasm")]
use host as backend;

/// A key-value store of the host.
#[derive(Debug)]
pub struct Bucket(backend::Bucket);

impl Bucket {
    /// Opens the bucket of a name; most hosts call their first one `default`.
    ///
    /// # Errors
    /// When there is no such bucket, or the component may not use it.
    pub fn open(name: &str) -> Result<Self, Error> {
        backend::Bucket::open(name).map(Self)
    }

    /// The value of a key; `None` where there is none.
    ///
    /// # Errors
    /// When the store fails.
    pub fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Error> {
        self.0.get(key)
    }

    /// Sets the value of a key, in the place of the one before.
    ///
    /// # Errors
    /// When the store fails, or is full.
    pub fn set(&self, key: &str, value: &[u8]) -> Result<(), Error> {
        self.0.set(key, value)
    }

    /// Forgets a key. One that is not there is no error.
    ///
    /// # Errors
    /// When the store fails.
    pub fn delete(&self, key: &str) -> Result<(), Error> {
        self.0.delete(key)
    }

    /// Whether a key is there.
    ///
    /// # Errors
    /// When the store fails.
    pub fn exists(&self, key: &str) -> Result<bool, Error> {
        self.0.exists(key)
    }

    /// All keys, in no certain order. Slow where there are many.
    ///
    /// # Errors
    /// When the store fails.
    pub fn keys(&self) -> Result<Vec<String>, Error> {
        self.0.keys()
    }

    /// Adds to the number of a key, which is 0 where there is none, and gives the sum; in one, so
    /// that of two exchanges that count none is lost.
    ///
    /// # Errors
    /// When the value is no number, the sum is too large, or the store fails.
    pub fn increment(&self, key: &str, delta: u32) -> Result<u64, Error> {
        self.0.increment(key, delta)
    }
}
