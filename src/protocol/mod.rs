//! The wire types of the Model Context Protocol: data and `serde`, nothing else.
//!
//! Nothing here knows how a server is built, how HTTP works or what WASI is. Numbers of errors
//! live only in [`code`], differences between protocol versions only in [`Version`].

pub mod capabilities;
pub mod code;
pub mod completion;
pub mod content;
pub mod discover;
pub(crate) mod finite;
pub mod identity;
pub mod input;
pub mod jsonrpc;
pub mod logging;
pub(crate) mod members;
pub mod meta;
pub mod prompt;
mod request_id;
pub mod resource;
pub mod sampling;
pub mod subscription;
pub mod tool;
pub(crate) mod uri;
mod version;

pub use version::{UnknownVersion, Version};
