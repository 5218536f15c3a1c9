//! Stands in for Spin 4.1 in tests: a component that exports what Spin's crate for WASI 0.3
//! imports, with values that live as long as the instance. What it denies, and how long it takes,
//! is in its environment.
#![cfg(target_family = "wasm")]
#![allow(unsafe_code, reason = "the exports are generated")]

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::env;

use wasip3::clocks::monotonic_clock;

mod bindings {
    #![allow(
        missing_docs,
        unreachable_pub,
        clippy::allow_attributes_without_reason,
        reason = "generated code"
    )]
    wit_bindgen::generate!({ path: "wit", world: "spin" });
}

use bindings::exports::spin::{key_value::key_value, sqlite::sqlite, variables::variables};
use bindings::{wit_future, wit_stream};

struct Spin;

bindings::export!(Spin with_types_in bindings);

thread_local! {
    static VALUES: RefCell<BTreeMap<String, Vec<u8>>> = const { RefCell::new(BTreeMap::new()) };
}

/// Whether the environment denies something by its name.
fn is_denied(what: &str) -> bool {
    env::var("SPIN_DENIES").is_ok_and(|denied| denied == what)
}

/// Lets time pass, where the environment says how many milliseconds.
async fn take_time() {
    if let Some(ms) = env::var("SPIN_TAKES").ok().and_then(|ms| ms.parse::<u64>().ok()) {
        eprintln!("spin is at work");
        monotonic_clock::wait_for(ms * 1_000_000).await;
    }
}

struct Store;

impl key_value::Guest for Spin {
    type Store = Store;
}

impl key_value::GuestStore for Store {
    async fn open(label: String) -> Result<key_value::Store, key_value::Error> {
        match label.as_str() {
            "default" if is_denied("store") => Err(key_value::Error::AccessDenied),
            "default" => Ok(key_value::Store::new(Self)),
            _ => Err(key_value::Error::NoSuchStore),
        }
    }

    async fn get(&self, key: String) -> Result<Option<Vec<u8>>, key_value::Error> {
        take_time().await;
        Ok(VALUES.with_borrow(|values| values.get(&key).cloned()))
    }

    async fn set(&self, key: String, value: Vec<u8>) -> Result<(), key_value::Error> {
        VALUES.with_borrow_mut(|values| values.insert(key, value));
        Ok(())
    }

    async fn delete(&self, key: String) -> Result<(), key_value::Error> {
        VALUES.with_borrow_mut(|values| values.remove(&key));
        Ok(())
    }

    async fn exists(&self, key: String) -> Result<bool, key_value::Error> {
        Ok(VALUES.with_borrow(|values| values.contains_key(&key)))
    }

    async fn get_keys(
        &self,
    ) -> (wit_bindgen::StreamReader<String>, wit_bindgen::FutureReader<Result<(), key_value::Error>>)
    {
        let keys = VALUES.with_borrow(|values| values.keys().cloned().collect());
        let (mut writer, stream) = wit_stream::new();
        let (end, result) = wit_future::new(|| Ok(()));
        wit_bindgen::spawn(async move {
            writer.write_all(keys).await;
            drop(writer);
            drop(end.write(Ok(())).await);
        });
        (stream, result)
    }
}

impl variables::Guest for Spin {
    async fn get(name: String) -> Result<String, variables::Error> {
        let value = env::var(format!("SPIN_VARIABLE_{}", name.to_ascii_uppercase()));
        value.map_err(|_| variables::Error::Undefined(name))
    }
}

/// The table `places`.
const PLACES: [(&str, i64); 3] = [("Brocken", 1141), ("Feldberg", 1493), ("Zugspitze", 2962)];

struct Connection;

/// The functions of WASI 0.2 are not those of that crate.
impl sqlite::GuestConnection for Connection {
    fn open(_: String) -> Result<sqlite::Connection, sqlite::Error> {
        Err(sqlite::Error::AccessDenied)
    }

    fn execute(
        &self,
        _: String,
        _: Vec<sqlite::Value>,
    ) -> Result<sqlite::QueryResult, sqlite::Error> {
        Err(sqlite::Error::InvalidConnection)
    }

    fn last_insert_rowid(&self) -> i64 {
        0
    }

    fn changes(&self) -> u64 {
        0
    }

    async fn open_async(name: String) -> Result<sqlite::Connection, sqlite::Error> {
        match name.as_str() {
            "default" if is_denied("database") => Err(sqlite::Error::AccessDenied),
            "default" => Ok(sqlite::Connection::new(Self)),
            _ => Err(sqlite::Error::NoSuchDatabase),
        }
    }

    /// Knows one query. With rows that break off, its end is not one.
    async fn execute_async(
        &self,
        statement: String,
        parameters: Vec<sqlite::Value>,
    ) -> Result<Rows, sqlite::Error> {
        let [sqlite::Value::Integer(higher_than)] = parameters[..] else {
            return Err(sqlite::Error::Io("one number is missing".to_owned()));
        };
        if !statement.starts_with("SELECT name, height FROM places WHERE height > ?") {
            return Err(sqlite::Error::Io(format!("near {statement}: syntax error")));
        }
        let found = PLACES.iter().filter(move |(_, height)| *height > higher_than);
        let end = if is_denied("rows") {
            Err(sqlite::Error::Io("the disk is gone".to_owned()))
        } else {
            Ok(())
        };
        let (mut writer, stream) = wit_stream::new();
        let (ending, result) = wit_future::new(|| Ok(()));
        wit_bindgen::spawn(async move {
            for (name, height) in found {
                let values =
                    vec![sqlite::Value::Text((*name).to_owned()), sqlite::Value::Integer(*height)];
                writer.write_all(vec![sqlite::RowResult { values }]).await;
            }
            drop(writer);
            drop(ending.write(end).await);
        });
        Ok((vec!["name".to_owned(), "height".to_owned()], stream, result))
    }

    async fn last_insert_rowid_async(&self) -> i64 {
        0
    }

    async fn changes_async(&self) -> u64 {
        0
    }
}

/// The names of the columns, the rows as they come, and whether these were all.
type Rows = (
    Vec<String>,
    wit_bindgen::StreamReader<sqlite::RowResult>,
    wit_bindgen::FutureReader<Result<(), sqlite::Error>>,
);

impl sqlite::Guest for Spin {
    type Connection = Connection;
}
