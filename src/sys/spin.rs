//! What Spin has for a component of WASI 0.3, by Spin's own crate, `spin-sdk` 7: key-value stores,
//! the variables of the application, SQLite. Outbound HTTP is [`fetch`](crate::fetch), as anywhere.
//!
//! Needs the features `p3` and `spin`, and Spin 4.1. The functions are `async` and there for every
//! handler; a call that waits for Spin ends when its client goes away. Their errors become a
//! [`ToolError`] by `?`, and then they are the server's fault: logged, and not told to the model.
//!
//! ```no_run
#![doc = include_str!("../../examples/places.rs")]
//! ```
//!
//! What is not granted in `spin.toml` does not open:
//!
//! | module | granted by |
//! |---|---|
//! | [`key_value`] | `key_value_stores = ["default"]` |
//! | [`variables`] | `[component.NAME.variables]` |
//! | [`sqlite`] | `sqlite_databases = ["default"]` |
//! | [`fetch`](crate::fetch) | `allowed_outbound_hosts = ["https://api.example.com"]` |
//!
//! `WasiConfig` has the same variables, for [`Server::configure`](crate::Server::configure), and
//! [`keyvalue`](crate::keyvalue) the same stores; a server that keeps to those two is built for
//! other hosts as well. The rest of `spin-sdk` (Redis, PostgreSQL, MQTT) is used beside this crate:
//! `spin-sdk = { version = "7", default-features = false, features = ["redis"] }`.
//!
//! In unit tests, which are native, there is no Spin: what is here compiles, and panics when it is
//! called. Over standard input and output there is none either.

pub use spin_sdk::{key_value, sqlite, variables};

use crate::error::{RequestError, ToolError};

/// What Spin refuses is for the operator to mend, not for a model.
macro_rules! faults_of_the_server {
    ($($error:ty),*) => {$(
        impl From<$error> for ToolError {
            fn from(error: $error) -> Self {
                Self::internal(error)
            }
        }

        impl From<$error> for RequestError {
            fn from(error: $error) -> Self {
                Self::internal(error)
            }
        }
    )*};
}

faults_of_the_server!(key_value::Error, sqlite::Error, variables::Error);
