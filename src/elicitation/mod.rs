//! Asking the user: what a handler wants to know, and whether the answer is one.

mod choices;
pub(crate) mod fits;
pub(crate) mod form;
mod format;

pub use form::InvalidForm;
