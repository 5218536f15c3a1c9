//! Bindings to key-value stores and configuration, in the drafts of one family of hosts.

#![allow(
    missing_docs,
    unreachable_pub,
    dead_code,
    unused_imports,
    clippy::allow_attributes_without_reason,
    reason = "generated code"
)]

#[cfg(not(feature = "spin"))]
wit_bindgen::generate!({ path: "wit", world: "midge:mcp/storage", generate_all });

#[cfg(feature = "spin")]
wit_bindgen::generate!({ path: "wit", world: "midge:mcp/spin-storage", generate_all });

#[cfg(feature = "spin")]
pub(super) use wasi::{config0_2_0_draft_2024_09_27 as config, keyvalue0_2_0_draft2 as keyvalue};
#[cfg(not(feature = "spin"))]
pub(super) use wasi::{config0_2_0_rc_1 as config, keyvalue0_2_0_draft as keyvalue};
