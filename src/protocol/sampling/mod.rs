//! Questions to the client's model (`sampling/createMessage`) on the wire.
//!
//! The protocol has deprecated them in 2026-07-28, and they are in force until it drops them.

mod conversation;
mod request;
mod result;

pub use request::{CreateMessage, IncludeContext, ToolChoice};
pub use result::{CreateMessageResult, SamplingContent, ToolUse};
