//! Asking the user: what a handler wants to know, and whether the answer is one.

mod choices;
mod format;
pub(crate) mod from_type;
pub(crate) mod validate_form;

pub use from_type::InvalidForm;
