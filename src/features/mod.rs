//! What server authors write: tools, prompts, resources, completion, lists, subscriptions, pages.
//!
//! Each feature turns typed Rust into a registry that the dispatcher calls. Nothing here knows the
//! [`Server`](crate::Server) that collects them.

pub mod apps;
pub(crate) mod completion;
pub(crate) mod list;
pub(crate) mod prompt;
pub(crate) mod resource;
pub(crate) mod sealed;
pub(crate) mod subscription;
pub(crate) mod tool;
