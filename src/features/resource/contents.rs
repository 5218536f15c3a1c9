//! Return types of resource handlers: [`IntoResourceContents`].

use crate::error::RequestError;
use crate::protocol::content::ResourceContents;

/// What the handler of a resource may return.
///
/// Implemented for text (`String`, `&'static str`) and bytes (`Vec<u8>`, `&'static [u8]`), which
/// get the URI that was asked for and the resource's MIME type, for [`ResourceContents`] and a
/// `Vec` of them, which say both themselves, and for `Result` of any of them with [`RequestError`].
#[diagnostic::on_unimplemented(
    message = "a resource cannot return `{Self}`",
    note = "return text, bytes, `ResourceContents`, `Vec<ResourceContents>`, or a `Result` of one of them with `RequestError`"
)]
pub trait IntoResourceContents {
    /// The value as the contents of the resource at `uri`.
    ///
    /// # Errors
    /// The handler's own.
    fn into_resource_contents(self, uri: &str) -> Result<Vec<ResourceContents>, RequestError>;
}

impl IntoResourceContents for ResourceContents {
    fn into_resource_contents(self, _uri: &str) -> Result<Vec<ResourceContents>, RequestError> {
        Ok(vec![self])
    }
}

impl IntoResourceContents for Vec<ResourceContents> {
    fn into_resource_contents(self, _uri: &str) -> Result<Vec<ResourceContents>, RequestError> {
        Ok(self)
    }
}

impl IntoResourceContents for String {
    fn into_resource_contents(self, uri: &str) -> Result<Vec<ResourceContents>, RequestError> {
        Ok(vec![ResourceContents::text(uri, self)])
    }
}

impl IntoResourceContents for &'static str {
    fn into_resource_contents(self, uri: &str) -> Result<Vec<ResourceContents>, RequestError> {
        Ok(vec![ResourceContents::text(uri, self)])
    }
}

impl IntoResourceContents for Vec<u8> {
    fn into_resource_contents(self, uri: &str) -> Result<Vec<ResourceContents>, RequestError> {
        Ok(vec![ResourceContents::blob(uri, self)])
    }
}

impl IntoResourceContents for &'static [u8] {
    fn into_resource_contents(self, uri: &str) -> Result<Vec<ResourceContents>, RequestError> {
        Ok(vec![ResourceContents::blob(uri, self)])
    }
}

impl<T: IntoResourceContents> IntoResourceContents for Result<T, RequestError> {
    fn into_resource_contents(self, uri: &str) -> Result<Vec<ResourceContents>, RequestError> {
        self?.into_resource_contents(uri)
    }
}
