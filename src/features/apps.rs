//! MCP Apps: tools with a user interface (extension `io.modelcontextprotocol/ui`).
//!
//! A tool names a resource of the scheme `ui://`; a client that knows the extension shows that
//! resource, an HTML page, beside the tool's results. Everything else a page does, it does by
//! ordinary calls. A tool must answer with useful text all the same, for clients without pages.
//!
//! ```
#![doc = include_str!("../../examples/apps.rs")]
//! ```

use std::borrow::Cow;

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::features::resource::Resource;
use crate::features::tool::Tool;
use crate::protocol::content::ResourceContents;

/// The extension's id.
pub const ID: &str = "io.modelcontextprotocol/ui";

/// The MIME type of pages, which is also what clients declare that they can show.
pub const MIME_TYPE: &str = "text/html;profile=mcp-app";

/// The key of `_meta` for what concerns pages.
pub(crate) const META: &str = "ui";

/// Who may call a tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Visibility {
    /// The model.
    Model,
    /// The page.
    App,
}

/// A page: a resource of the scheme `ui://`, and what its frame may do.
///
/// Without [`connect`](Self::connect) and [`load_from`](Self::load_from) a page reaches nothing
/// outside. It is read like every resource, and not listed.
#[derive(Debug, Clone)]
pub struct App {
    uri: Cow<'static, str>,
    name: Cow<'static, str>,
    html: &'static str,
    settings: Settings,
}

/// `_meta.ui` of the contents.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Settings {
    #[serde(skip_serializing_if = "Csp::is_empty")]
    csp: Csp,
    #[serde(skip_serializing_if = "Map::is_empty")]
    permissions: Map<String, Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    domain: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prefers_border: Option<bool>,
}

#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Csp {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    connect_domains: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    resource_domains: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    frame_domains: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    base_uri_domains: Vec<String>,
}

impl Csp {
    fn is_empty(&self) -> bool {
        let all = [
            &self.connect_domains,
            &self.resource_domains,
            &self.frame_domains,
            &self.base_uri_domains,
        ];
        all.into_iter().all(Vec::is_empty)
    }
}

/// Something of the browser that a page asks to use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Permission {
    /// The camera.
    Camera,
    /// The microphone.
    Microphone,
    /// Where the user is.
    Geolocation,
    /// Writing to the clipboard.
    ClipboardWrite,
}

impl App {
    /// A page of HTML 5, usually by `include_str!`.
    #[must_use]
    pub fn new(
        uri: impl Into<Cow<'static, str>>,
        name: impl Into<Cow<'static, str>>,
        html: &'static str,
    ) -> Self {
        Self { uri: uri.into(), name: name.into(), html, settings: Settings::default() }
    }

    /// Lets the page send requests to an origin, as `https://api.example.com`.
    #[must_use]
    pub fn connect(mut self, origin: impl Into<String>) -> Self {
        self.settings.csp.connect_domains.push(origin.into());
        self
    }

    /// Lets the page load scripts, styles, pictures and fonts from an origin.
    #[must_use]
    pub fn load_from(mut self, origin: impl Into<String>) -> Self {
        self.settings.csp.resource_domains.push(origin.into());
        self
    }

    /// Lets the page embed frames of an origin.
    #[must_use]
    pub fn frame(mut self, origin: impl Into<String>) -> Self {
        self.settings.csp.frame_domains.push(origin.into());
        self
    }

    /// Lets the page's base URI be of an origin.
    #[must_use]
    pub fn base_uri(mut self, origin: impl Into<String>) -> Self {
        self.settings.csp.base_uri_domains.push(origin.into());
        self
    }

    /// Asks for something of the browser. Clients may refuse.
    #[must_use]
    pub fn permission(mut self, permission: Permission) -> Self {
        let name = match permission {
            Permission::Camera => "camera",
            Permission::Microphone => "microphone",
            Permission::Geolocation => "geolocation",
            Permission::ClipboardWrite => "clipboardWrite",
        };
        self.settings.permissions.insert(name.to_owned(), json!({}));
        self
    }

    /// Asks for an origin of the page's own, in the form that the client gives out.
    #[must_use]
    pub fn domain(mut self, domain: impl Into<String>) -> Self {
        self.settings.domain = Some(domain.into());
        self
    }

    /// Says whether the page looks better with a border.
    #[must_use]
    pub fn border(mut self, border: bool) -> Self {
        self.settings.prefers_border = Some(border);
        self
    }
}

impl From<App> for Resource {
    fn from(App { uri, name, html, settings }: App) -> Self {
        // Strings and booleans only: this cannot fail.
        let settings = serde_json::to_value(settings).unwrap_or_default();
        let is_set = settings.as_object().is_some_and(|settings| !settings.is_empty());
        let at = uri.clone();
        let read = move || {
            let contents = ResourceContents::text(&*at, html).mime_type(MIME_TYPE);
            let settings = is_set.then(|| settings.clone());
            std::future::ready(match settings {
                Some(settings) => contents.meta(META, settings),
                None => contents,
            })
        };
        Resource::new(uri, name, read).mime_type(MIME_TYPE).size(html.len()).unlisted()
    }
}

impl Tool {
    /// Shows the page at `uri`, of the scheme `ui://`, beside the tool's results
    /// ([`apps`](crate::apps)).
    #[must_use]
    pub fn ui(self, uri: impl Into<String>) -> Self {
        self.set_ui("resourceUri", json!(uri.into()))
    }

    /// Says who may call the tool; for a tool with a page, [`apps`](crate::apps). Default: both.
    #[must_use]
    pub fn ui_visibility(self, visibility: &[Visibility]) -> Self {
        self.set_ui("visibility", json!(visibility))
    }

    /// Sets one member and keeps the other, in whatever order they are set.
    fn set_ui(mut self, key: &str, value: Value) -> Self {
        let own = self.meta_mut().get(META).and_then(Value::as_object);
        let mut ui = own.cloned().unwrap_or_default();
        ui.insert(key.to_owned(), value);
        self.meta(META, ui)
    }
}
