//! Names, titles and icons of servers and clients.

use serde::{Deserialize, Serialize};

use super::Version;
use super::members::or_default;

/// Name and version of a server or a client.
///
/// Self-reported: good for display and logs, never for a decision.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Implementation {
    /// Short name for programs.
    pub name: String,
    /// Its version; the protocol gives it no form.
    pub version: String,
    /// Name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// What it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Where to read more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub website_url: Option<String>,
    /// Pictures for a list.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "or_default")]
    pub icons: Vec<Icon>,
}

impl Implementation {
    pub(crate) fn new(name: impl Into<String>, version: impl Into<String>) -> Self {
        Self { name: name.into(), version: version.into(), ..Self::default() }
    }

    /// The implementation as a client of `version` may see it.
    pub(crate) fn for_version(&self, version: Version) -> Self {
        let bare = Self::new(self.name.clone(), self.version.clone());
        if version.has_icons() {
            self.clone()
        } else if version.has_titles() {
            Self { title: self.title.clone(), ..bare }
        } else {
            bare
        }
    }
}

/// A picture of a server or a tool.
///
/// ```
/// use midge::{Icon, IconTheme};
///
/// let icon = Icon::new("https://example.com/tool.png")
///     .mime_type("image/png")
///     .size("48x48")
///     .theme(IconTheme::Dark);
/// assert_eq!(icon.sizes, ["48x48"]);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Icon {
    /// An `https:` or `data:` URI, best of the server's own origin.
    pub src: String,
    /// MIME type, where the URI does not tell it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mime_type: Option<String>,
    /// Sizes as `48x48`, or `any` for vector formats.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "or_default")]
    pub sizes: Vec<String>,
    /// The background it is made for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub theme: Option<IconTheme>,
}

/// The background an icon is made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IconTheme {
    /// For light backgrounds.
    Light,
    /// For dark backgrounds.
    Dark,
}

impl Icon {
    /// An icon by its `https:` or `data:` URI.
    #[must_use]
    pub fn new(src: impl Into<String>) -> Self {
        Self { src: src.into(), ..Self::default() }
    }

    /// Sets the MIME type.
    #[must_use]
    pub fn mime_type(mut self, mime_type: impl Into<String>) -> Self {
        self.mime_type = Some(mime_type.into());
        self
    }

    /// Adds a size, as `48x48` or `any`.
    #[must_use]
    pub fn size(mut self, size: impl Into<String>) -> Self {
        self.sizes.push(size.into());
        self
    }

    /// Sets the background it is made for.
    #[must_use]
    pub fn theme(mut self, theme: IconTheme) -> Self {
        self.theme = Some(theme);
        self
    }
}
