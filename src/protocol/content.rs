//! Content blocks of tool results.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Map, Value};

use super::Version;
use super::identity::Icon;

/// One piece of content.
///
/// ```
/// use midge::ContentBlock;
///
/// let picture = ContentBlock::image(b"\x89PNG...", "image/png");
/// let note = ContentBlock::text("The picture shows a midge.").for_user().priority(0.2);
/// # drop((picture, note));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct ContentBlock {
    kind: Kind,
    annotations: Option<Annotations>,
    meta: Option<Map<String, Value>>,
}

#[derive(Debug, Clone, PartialEq)]
enum Kind {
    Text { text: String },
    Image { data: String, mime_type: String },
    Audio { data: String, mime_type: String },
    ResourceLink(ResourceLink),
    Resource { resource: ResourceContents },
}

impl ContentBlock {
    /// Text, the content that every client understands.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Kind::Text { text: text.into() }.into()
    }

    /// A picture by its bytes, which this encodes as Base64.
    #[must_use]
    pub fn image(bytes: impl AsRef<[u8]>, mime_type: impl Into<String>) -> Self {
        Kind::Image { data: STANDARD.encode(bytes), mime_type: mime_type.into() }.into()
    }

    /// A sound by its bytes, which this encodes as Base64.
    #[must_use]
    pub fn audio(bytes: impl AsRef<[u8]>, mime_type: impl Into<String>) -> Self {
        Kind::Audio { data: STANDARD.encode(bytes), mime_type: mime_type.into() }.into()
    }

    /// A resource's contents, embedded.
    #[must_use]
    pub fn resource(resource: ResourceContents) -> Self {
        Kind::Resource { resource }.into()
    }

    /// A link to a resource that the client may read.
    ///
    /// Clients of 2025-03-26 know no links; they get its name and URI as text.
    #[must_use]
    pub fn resource_link(link: ResourceLink) -> Self {
        Kind::ResourceLink(link).into()
    }

    /// Marks the block as meant for the user.
    #[must_use]
    pub fn for_user(self) -> Self {
        self.annotate(Annotations::for_user)
    }

    /// Marks the block as meant for the model.
    #[must_use]
    pub fn for_assistant(self) -> Self {
        self.annotate(Annotations::for_assistant)
    }

    /// Says how much the block matters: 1 is required, 0 is optional. Values outside are clamped.
    #[must_use]
    pub fn priority(self, priority: f64) -> Self {
        self.annotate(|annotations| annotations.priority(priority))
    }

    /// Says when the content last changed, as an ISO 8601 timestamp.
    #[must_use]
    pub fn last_modified(self, timestamp: impl Into<String>) -> Self {
        self.annotate(|annotations| annotations.last_modified(timestamp))
    }

    fn annotate(mut self, change: impl FnOnce(Annotations) -> Annotations) -> Self {
        self.annotations = Some(change(self.annotations.unwrap_or_default()));
        self
    }

    /// Sets a key of `_meta`.
    #[must_use]
    pub fn meta(mut self, key: impl Into<String>, value: impl Into<Value>) -> Self {
        self.meta.get_or_insert_default().insert(key.into(), value.into());
        self
    }

    /// Whether it is or links to a resource, which models cannot be sent.
    pub(crate) fn is_resource(&self) -> bool {
        matches!(self.kind, Kind::ResourceLink(_) | Kind::Resource { .. })
    }

    /// The block as a client of `version` understands it.
    pub(crate) fn for_version(mut self, version: Version) -> Self {
        if let Kind::ResourceLink(link) = self.kind {
            self.kind = if version.has_resource_links() {
                Kind::ResourceLink(link.for_version(version))
            } else {
                Kind::Text { text: format!("{}: {}", link.name, link.uri) }
            };
        }
        if let Kind::Resource { resource } = self.kind {
            self.kind = Kind::Resource { resource: resource.for_version(version) };
        }
        self.annotations = self.annotations.map(|hints| hints.for_version(version));
        self.meta = self.meta.filter(|_| version.has_titles());
        self
    }
}

/// By hand: `serde`'s flattened, tagged enums double the size of a small component.
impl Serialize for ContentBlock {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        match &self.kind {
            Kind::Text { text } => {
                map.serialize_entry("type", "text")?;
                map.serialize_entry("text", text)?;
            }
            Kind::Image { data, mime_type } => {
                map.serialize_entry("type", "image")?;
                map.serialize_entry("data", data)?;
                map.serialize_entry("mimeType", mime_type)?;
            }
            Kind::Audio { data, mime_type } => {
                map.serialize_entry("type", "audio")?;
                map.serialize_entry("data", data)?;
                map.serialize_entry("mimeType", mime_type)?;
            }
            Kind::ResourceLink(link) => {
                map.serialize_entry("type", "resource_link")?;
                link.serialize_entries(&mut map)?;
            }
            Kind::Resource { resource } => {
                map.serialize_entry("type", "resource")?;
                map.serialize_entry("resource", resource)?;
            }
        }
        entry(&mut map, "annotations", self.annotations.as_ref())?;
        entry(&mut map, "_meta", self.meta.as_ref())?;
        map.end()
    }
}

/// Writes a member that may be missing.
fn entry<M: SerializeMap, T: Serialize>(
    map: &mut M,
    key: &'static str,
    value: Option<&T>,
) -> Result<(), M::Error> {
    value.map_or(Ok(()), |value| map.serialize_entry(key, value))
}

impl From<Kind> for ContentBlock {
    fn from(kind: Kind) -> Self {
        Self { kind, annotations: None, meta: None }
    }
}

impl From<String> for ContentBlock {
    fn from(text: String) -> Self {
        Self::text(text)
    }
}

impl From<&str> for ContentBlock {
    fn from(text: &str) -> Self {
        Self::text(text)
    }
}

/// Hints on whom content or a resource is for, and how much it matters.
///
/// ```
/// use midge::{Annotations, Resource};
///
/// let manual = Resource::text("docs://manual", "manual", "Read me.")
///     .annotations(Annotations::new().for_user().priority(0.2));
/// # drop(manual);
/// ```
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Annotations {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    audience: Vec<Role>,
    #[serde(skip_serializing_if = "Option::is_none")]
    priority: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_modified: Option<String>,
}

impl Annotations {
    /// No hints.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Meant for the user.
    #[must_use]
    pub fn for_user(mut self) -> Self {
        self.audience.push(Role::User);
        self
    }

    /// Meant for the model.
    #[must_use]
    pub fn for_assistant(mut self) -> Self {
        self.audience.push(Role::Assistant);
        self
    }

    /// How much it matters: 1 is required, 0 is optional. Values outside are clamped.
    #[must_use]
    pub fn priority(mut self, priority: f64) -> Self {
        self.priority = Some(priority.clamp(0.0, 1.0));
        self
    }

    /// When it last changed, as an ISO 8601 timestamp.
    #[must_use]
    pub fn last_modified(mut self, timestamp: impl Into<String>) -> Self {
        self.last_modified = Some(timestamp.into());
        self
    }

    /// The hints as a client of `version` understands them.
    pub(crate) fn for_version(mut self, version: Version) -> Self {
        self.last_modified = self.last_modified.filter(|_| version.has_titles());
        self
    }
}

/// Who says something, or who it is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The person.
    User,
    /// The model.
    Assistant,
}

/// The contents of a resource: text or bytes under a URI.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ResourceContents {
    pub(crate) uri: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) mime_type: Option<String>,
    /// One of the two is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    blob: Option<String>,
    #[serde(rename = "_meta", skip_serializing_if = "Option::is_none")]
    pub(crate) meta: Option<Map<String, Value>>,
}

impl ResourceContents {
    /// Text.
    #[must_use]
    pub fn text(uri: impl Into<String>, text: impl Into<String>) -> Self {
        Self { uri: uri.into(), mime_type: None, text: Some(text.into()), blob: None, meta: None }
    }

    /// Bytes, which this encodes as Base64.
    #[must_use]
    pub fn blob(uri: impl Into<String>, bytes: impl AsRef<[u8]>) -> Self {
        let blob = Some(STANDARD.encode(bytes));
        Self { uri: uri.into(), mime_type: None, text: None, blob, meta: None }
    }

    /// Sets the MIME type.
    #[must_use]
    pub fn mime_type(mut self, mime_type: impl Into<String>) -> Self {
        self.mime_type = Some(mime_type.into());
        self
    }

    /// Sets a key of `_meta`. Clients before 2025-06-18 do not get it.
    #[must_use]
    pub fn meta(mut self, key: impl Into<String>, value: impl Into<Value>) -> Self {
        self.meta.get_or_insert_default().insert(key.into(), value.into());
        self
    }

    /// The contents as a client of `version` understands them.
    pub(crate) fn for_version(mut self, version: Version) -> Self {
        self.meta = self.meta.filter(|_| version.has_titles());
        self
    }
}

/// A link to a resource.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ResourceLink {
    uri: String,
    name: String,
    title: Option<String>,
    description: Option<String>,
    mime_type: Option<String>,
    size: Option<u64>,
    icons: Vec<Icon>,
}

impl ResourceLink {
    /// A link by URI and name.
    #[must_use]
    pub fn new(uri: impl Into<String>, name: impl Into<String>) -> Self {
        Self { uri: uri.into(), name: name.into(), ..Self::default() }
    }

    /// Sets the name for people.
    #[must_use]
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = Some(title.into());
        self
    }

    /// Says what it is.
    #[must_use]
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// Sets the MIME type.
    #[must_use]
    pub fn mime_type(mut self, mime_type: impl Into<String>) -> Self {
        self.mime_type = Some(mime_type.into());
        self
    }

    /// Sets the size in bytes, before any encoding.
    #[must_use]
    pub fn size(mut self, bytes: u64) -> Self {
        self.size = Some(bytes);
        self
    }

    /// Adds an icon.
    #[must_use]
    pub fn icon(mut self, icon: Icon) -> Self {
        self.icons.push(icon);
        self
    }

    fn serialize_entries<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        map.serialize_entry("uri", &self.uri)?;
        map.serialize_entry("name", &self.name)?;
        entry(map, "title", self.title.as_ref())?;
        entry(map, "description", self.description.as_ref())?;
        entry(map, "mimeType", self.mime_type.as_ref())?;
        entry(map, "size", self.size.as_ref())?;
        entry(map, "icons", (!self.icons.is_empty()).then_some(&self.icons))
    }

    fn for_version(mut self, version: Version) -> Self {
        if !version.has_icons() {
            self.icons.clear();
        }
        self
    }
}
