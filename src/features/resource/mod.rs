//! Resources: what a client can read, at a URI or at all URIs of a template.

mod contents;
mod registry;
pub(crate) mod template;

use std::borrow::Cow;
use std::fmt;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::error::RequestError;
use crate::features::completion::{Completer, CompletionRequest, IntoCompletion};
use crate::features::resource::template::UriTemplate;
use crate::handler::context::{Context, LocalFuture};
use crate::protocol::Version;
use crate::protocol::content::{Annotations, ResourceContents};
use crate::protocol::discover::Cache;
use crate::protocol::identity::Icon;
use crate::protocol::meta;
use crate::protocol::resource::{Address as WireAddress, ResourceDefinition};
use crate::protocol::uri;
use crate::schema::from_strings;

pub use contents::IntoResourceContents;
pub(crate) use registry::{Registry, Resources};

type Contents = LocalFuture<Result<Vec<ResourceContents>, RequestError>>;
type Variables = Vec<(String, String)>;
type Handler = Box<dyn Fn(String, Variables, Context) -> Result<Contents, RequestError>>;

/// Something that a client can read.
///
/// Fixed text or bytes, or the result of an `async fn`: see [`IntoResourceContents`]. A template
/// (RFC 6570) stands for many resources; its handler gets the variables as a struct.
///
/// ```
/// use midge::{RequestError, Resource, Server};
///
/// async fn status() -> String {
///     "All midges are well.".to_owned()
/// }
///
/// #[derive(serde::Deserialize, schemars::JsonSchema)]
/// struct Page {
///     number: usize,
/// }
///
/// async fn page(page: Page) -> Result<&'static str, RequestError> {
///     ["Once upon a time", "they lived happily"].get(page.number).copied().ok_or(RequestError::NotFound)
/// }
///
/// let server = Server::new("library", "1.0.0")
///     .resource(Resource::text("library://readme", "readme", "Read me.").mime_type("text/plain"))
///     .resource(Resource::new("library://status", "status", status))
///     .resource(Resource::template("library://pages/{number}", "page", page));
/// # server.validate().unwrap();
/// ```
///
/// A whole server:
///
/// ```
#[doc = include_str!("../../../examples/resources.rs")]
/// ```
pub struct Resource {
    address: Address,
    name: Cow<'static, str>,
    handler: Handler,
    title: Option<Cow<'static, str>>,
    description: Option<Cow<'static, str>>,
    mime_type: Option<Cow<'static, str>>,
    size: Option<usize>,
    annotations: Option<Annotations>,
    icons: Vec<Icon>,
    meta: Option<Map<String, Value>>,
    cache: Option<Cache>,
    completers: Vec<Completer>,
    /// It can be read, but is not listed.
    unlisted: bool,
}

#[derive(Debug)]
enum Address {
    Uri(Cow<'static, str>),
    Template(Cow<'static, str>),
}

impl Resource {
    /// A fixed text, usually by `include_str!`.
    #[must_use]
    pub fn text(
        uri: impl Into<Cow<'static, str>>,
        name: impl Into<Cow<'static, str>>,
        text: &'static str,
    ) -> Self {
        let resource = Self::new(uri, name, move || std::future::ready(text));
        Self { size: Some(text.len()), ..resource }
    }

    /// Fixed bytes, usually by `include_bytes!`.
    #[must_use]
    pub fn bytes(
        uri: impl Into<Cow<'static, str>>,
        name: impl Into<Cow<'static, str>>,
        bytes: &'static [u8],
    ) -> Self {
        let resource = Self::new(uri, name, move || std::future::ready(bytes));
        Self { size: Some(bytes.len()), ..resource }
    }

    /// A resource that a handler reads.
    #[must_use]
    pub fn new<F, R>(
        uri: impl Into<Cow<'static, str>>,
        name: impl Into<Cow<'static, str>>,
        handler: F,
    ) -> Self
    where
        F: Fn() -> R + 'static,
        R: Future + 'static,
        R::Output: IntoResourceContents,
    {
        Self::with_context(uri, name, move |_| handler())
    }

    /// A resource that a handler reads, with the [`Context`] of the request.
    #[must_use]
    pub fn with_context<F, R>(
        uri: impl Into<Cow<'static, str>>,
        name: impl Into<Cow<'static, str>>,
        handler: F,
    ) -> Self
    where
        F: Fn(Context) -> R + 'static,
        R: Future + 'static,
        R::Output: IntoResourceContents,
    {
        let handler = move |uri: String, _: Variables, context| -> Result<Contents, RequestError> {
            let contents = handler(context);
            Ok(Box::pin(async move { contents.await.into_resource_contents(&uri) }))
        };
        Self::build(Address::Uri(uri.into()), name.into(), Box::new(handler))
    }

    /// All resources whose URIs fit a template. The handler takes the template's variables,
    /// percent-decoded, as a struct with a field for each; a URI whose variables do not fit the
    /// types of the fields is not found.
    ///
    /// `{name}` stands for at least one character of one segment: a `/` can only be in it where the
    /// URI has it encoded, as `%2F`. `{+name}` may have slashes. Neither has a segment `.` or `..`,
    /// and what follows a `/` in the template does not begin with one, so that it is safe to join to
    /// the path of a directory. What follows `://`, as in `file://{+path}`, and a parameter of a
    /// query (`{?name}`) may.
    #[must_use]
    pub fn template<V, F, R>(
        template: impl Into<Cow<'static, str>>,
        name: impl Into<Cow<'static, str>>,
        handler: F,
    ) -> Self
    where
        V: DeserializeOwned + JsonSchema + 'static,
        F: Fn(V) -> R + 'static,
        R: Future + 'static,
        R::Output: IntoResourceContents,
    {
        Self::template_with_context(template, name, move |variables, _| handler(variables))
    }

    /// All resources whose URIs fit a template, with the [`Context`] of the request.
    #[must_use]
    pub fn template_with_context<V, F, R>(
        template: impl Into<Cow<'static, str>>,
        name: impl Into<Cow<'static, str>>,
        handler: F,
    ) -> Self
    where
        V: DeserializeOwned + JsonSchema + 'static,
        F: Fn(V, Context) -> R + 'static,
        R: Future + 'static,
        R::Output: IntoResourceContents,
    {
        let handler = move |uri: String, variables, context| -> Result<Contents, RequestError> {
            let variables = from_strings::read(variables).map_err(|_| RequestError::NotFound)?;
            let contents = handler(variables, context);
            Ok(Box::pin(async move { contents.await.into_resource_contents(&uri) }))
        };
        Self::build(Address::Template(template.into()), name.into(), Box::new(handler))
    }

    fn build(address: Address, name: Cow<'static, str>, handler: Handler) -> Self {
        Self {
            address,
            name,
            handler,
            title: None,
            description: None,
            mime_type: None,
            size: None,
            annotations: None,
            icons: Vec::new(),
            meta: None,
            cache: None,
            completers: Vec::new(),
            unlisted: false,
        }
    }

    /// Sets the name for people.
    #[must_use]
    pub fn title(mut self, title: impl Into<Cow<'static, str>>) -> Self {
        self.title = Some(title.into());
        self
    }

    /// Says what it is.
    #[must_use]
    pub fn description(mut self, description: impl Into<Cow<'static, str>>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// Sets the MIME type, in lists and of contents that do not say their own.
    #[must_use]
    pub fn mime_type(mut self, mime_type: impl Into<Cow<'static, str>>) -> Self {
        self.mime_type = Some(mime_type.into());
        self
    }

    /// Says how many bytes it has, before any encoding; fixed text and bytes say so themselves.
    #[must_use]
    pub fn size(mut self, bytes: usize) -> Self {
        self.size = Some(bytes);
        self
    }

    /// Sets hints on whom it is for, and how much it matters.
    #[must_use]
    pub fn annotations(mut self, annotations: Annotations) -> Self {
        self.annotations = Some(annotations);
        self
    }

    /// Adds an icon.
    #[must_use]
    pub fn icon(mut self, icon: Icon) -> Self {
        self.icons.push(icon);
        self
    }

    /// Sets a key of the resource's `_meta` in lists.
    #[must_use]
    pub fn meta(mut self, key: impl Into<String>, value: impl Into<Value>) -> Self {
        self.meta.get_or_insert_default().insert(key.into(), value.into());
        self
    }

    /// Says how long clients may keep the contents. Default: the server's policy.
    #[must_use]
    pub fn cache(mut self, cache: Cache) -> Self {
        self.cache = Some(cache);
        self
    }

    /// Leaves the resource out of the list. Who knows its URI can read it.
    #[must_use]
    pub fn unlisted(mut self) -> Self {
        self.unlisted = true;
        self
    }

    /// Completes the values of a template's variable while the user types, by an `async fn` from
    /// what was typed to values, the best first; see [`IntoCompletion`].
    #[must_use]
    pub fn complete<F, R>(mut self, variable: impl Into<Cow<'static, str>>, handler: F) -> Self
    where
        F: Fn(CompletionRequest) -> R + 'static,
        R: Future + 'static,
        R::Output: IntoCompletion,
    {
        self.completers.push(Completer::new(variable.into(), handler));
        self
    }

    /// Completes the values of a template's variable from a list.
    #[must_use]
    pub fn complete_from(
        mut self,
        variable: impl Into<Cow<'static, str>>,
        values: &'static [&'static str],
    ) -> Self {
        self.completers.push(Completer::of_values(variable.into(), values));
        self
    }

    /// The URI or the template, as it is listed.
    pub(crate) fn address(&self) -> &str {
        match &self.address {
            Address::Uri(text) | Address::Template(text) => text,
        }
    }

    pub(crate) fn completes(&self) -> bool {
        !self.completers.is_empty()
    }

    fn is_template(&self) -> bool {
        matches!(self.address, Address::Template(_))
    }

    /// The variables of a URI that fits the template, where this is one.
    fn matches(&self, uri: &str) -> Option<Variables> {
        match &self.address {
            Address::Uri(_) => None,
            Address::Template(template) => UriTemplate::parse(template).ok()?.matches(uri),
        }
    }

    fn has_variable(&self, name: &str) -> bool {
        match &self.address {
            Address::Uri(_) => false,
            Address::Template(template) => UriTemplate::parse(template)
                .is_ok_and(|template| template.variables().any(|variable| variable == name)),
        }
    }

    /// The resource as a client of `version` may see it.
    fn definition(&self, version: Version) -> ResourceDefinition<'_> {
        ResourceDefinition {
            address: match &self.address {
                Address::Uri(uri) => WireAddress::Uri(uri),
                Address::Template(template) => WireAddress::UriTemplate(template),
            },
            name: &self.name,
            title: self.title.as_deref().filter(|_| version.has_titles()),
            description: self.description.as_deref(),
            mime_type: self.mime_type.as_deref(),
            size: self.size.filter(|_| !self.is_template()),
            annotations: self.annotations.clone().map(|hints| hints.for_version(version)),
            icons: if version.has_icons() { &self.icons } else { &[] },
            meta: self.meta.as_ref().filter(|_| version.has_titles()),
        }
    }

    /// What a client would hold against this resource.
    fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if self.name.is_empty() {
            problems.push("a name is missing".to_owned());
        }
        match &self.address {
            Address::Uri(at) if !uri::is_uri(at) => {
                problems.push("it is not a URI like docs://readme (RFC 3986)".to_owned());
            }
            Address::Uri(_) => {}
            Address::Template(template) => {
                problems.extend(UriTemplate::parse(template).err().map(|error| error.to_string()));
            }
        }
        let unknown = self.completers.iter().filter(|known| !self.has_variable(&known.argument));
        problems.extend(unknown.map(|completer| {
            format!("it completes `{}`, which is no variable of a template", completer.argument)
        }));
        problems.extend(meta::problems(self.meta.as_ref()));
        problems
    }
}

impl fmt::Debug for Resource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Resource")
            .field("address", &self.address)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
