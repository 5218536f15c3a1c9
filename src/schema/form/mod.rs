//! Asking the user: what a handler wants to know, and whether the answer is one.

mod choices;
pub(crate) mod fits;
mod format;
pub(crate) mod from_type;

pub use from_type::InvalidForm;
