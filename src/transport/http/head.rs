//! The head of a request, as every host passes it.

use crate::headers::map::Fields;

/// The methods that are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Method {
    Post,
    Options,
    Other,
}

/// A request without its body.
#[derive(Debug)]
pub(crate) struct RequestHead {
    pub(crate) method: Method,
    /// The path, without the query.
    pub(crate) path: String,
    /// Host and port the client called; known at least where there is an `Origin`.
    pub(crate) authority: Option<String>,
    pub(crate) headers: Fields,
}
