//! Forms: flat schemas of types that clients show to the user, and the check of what comes back.

mod choices;
pub(crate) mod from_type;
mod unsupported;
pub(crate) mod validate_form;

pub use from_type::InvalidForm;
