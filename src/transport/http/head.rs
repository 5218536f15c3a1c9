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

#[cfg(target_family = "wasm")]
impl RequestHead {
    /// Builds a head from the parts that hosts have. `authority` is asked for beside an `Origin` only,
    /// which clients other than browsers do not send.
    pub(crate) fn new(
        method: Method,
        mut path_with_query: String,
        headers: Fields,
        authority: impl FnOnce() -> Option<String>,
    ) -> Self {
        path_with_query.truncate(path_with_query.find('?').unwrap_or(path_with_query.len()));
        let authority = headers.contains("origin").then(authority).flatten();
        Self { method, path: path_with_query, authority, headers }
    }
}
