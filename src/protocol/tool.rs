//! Tools on the wire.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::Version;
use super::content::ContentBlock;
use super::identity::Icon;
use super::meta::is_reserved;

/// One tool in the answer to `tools/list`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ToolDefinition<'a> {
    pub(crate) name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) title: Option<&'a str>,
    #[serde(skip_serializing_if = "str::is_empty")]
    pub(crate) description: &'a str,
    pub(crate) input_schema: Cow<'a, Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) output_schema: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) annotations: Option<&'a ToolAnnotations>,
    #[serde(skip_serializing_if = "<[Icon]>::is_empty")]
    pub(crate) icons: &'a [Icon],
    #[serde(rename = "_meta", skip_serializing_if = "Option::is_none")]
    pub(crate) meta: Option<&'a Map<String, Value>>,
}

/// Hints on what a tool does, for clients that ask before they call.
///
/// Hints, not promises that anybody checks. What is not set means what the field's docs say.
///
/// ```
/// use midge::ToolAnnotations;
///
/// let harmless = ToolAnnotations::new().read_only(true).open_world(false);
/// # drop(harmless);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ToolAnnotations {
    #[serde(skip_serializing_if = "Option::is_none")]
    read_only_hint: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    destructive_hint: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    idempotent_hint: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    open_world_hint: Option<bool>,
}

impl ToolAnnotations {
    /// Nothing said.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The tool changes nothing. Unset means that it does.
    #[must_use]
    pub fn read_only(mut self, hint: bool) -> Self {
        self.read_only_hint = Some(hint);
        self
    }

    /// The tool may destroy something. Unset means that it may.
    #[must_use]
    pub fn destructive(mut self, hint: bool) -> Self {
        self.destructive_hint = Some(hint);
        self
    }

    /// Calling twice with the same arguments does no more than calling once. Unset means it does.
    #[must_use]
    pub fn idempotent(mut self, hint: bool) -> Self {
        self.idempotent_hint = Some(hint);
        self
    }

    /// The tool talks to the outside world. Unset means that it does.
    #[must_use]
    pub fn open_world(mut self, hint: bool) -> Self {
        self.open_world_hint = Some(hint);
        self
    }
}

/// What a tool answered.
///
/// Most tools return something simpler, see [`IntoToolResult`](crate::IntoToolResult); this is
/// for those that need several blocks, structured content beside them, or `_meta`.
///
/// ```
/// use midge::{CallToolResult, ContentBlock};
///
/// let result = CallToolResult::new()
///     .block(ContentBlock::text("Two midges:"))
///     .block(ContentBlock::image(b"\x89PNG...", "image/png"));
/// # drop(result);
/// ```
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CallToolResult {
    content: Vec<ContentBlock>,
    #[serde(skip_serializing_if = "Option::is_none")]
    structured_content: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    is_error: bool,
    #[serde(skip)]
    meta: Option<Map<String, Value>>,
}

impl CallToolResult {
    /// An empty result.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a content block.
    #[must_use]
    pub fn block(mut self, block: impl Into<ContentBlock>) -> Self {
        self.content.push(block.into());
        self
    }

    /// Sets the structured content, which must fit the tool's output schema.
    ///
    /// # Errors
    /// When `value` cannot be written as JSON, as a map whose keys are no strings.
    pub fn structured(mut self, value: &impl Serialize) -> Result<Self, serde_json::Error> {
        self.structured_content = Some(serde_json::value::to_raw_value(value)?);
        Ok(self)
    }

    /// Says that this is an error, which the model should see and may be able to repair.
    #[must_use]
    pub fn error(mut self) -> Self {
        self.is_error = true;
        self
    }

    /// Sets a key of the result's `_meta`. Keys that the protocol keeps for itself, like
    /// `io.modelcontextprotocol/serverInfo`, are left out.
    #[must_use]
    pub fn meta(mut self, key: impl Into<String>, value: impl Into<Value>) -> Self {
        let key = key.into();
        if !is_reserved(&key) {
            self.meta.get_or_insert_default().insert(key, value.into());
        }
        self
    }

    pub(crate) fn is_error(&self) -> bool {
        self.is_error
    }

    pub(crate) fn own_meta(&self) -> Option<&Map<String, Value>> {
        self.meta.as_ref()
    }

    pub(crate) fn structured_json(&self) -> Option<&str> {
        self.structured_content.as_deref().map(RawValue::get)
    }

    /// The result as a client of `version` understands it.
    pub(crate) fn for_version(mut self, version: Version) -> Self {
        let fits = |json: &str| {
            version.structured_content_may_be_any_value()
                || (version.has_structured_content() && json.starts_with('{'))
        };
        if self.structured_json().is_some_and(|json| !fits(json)) {
            self.structured_content = None;
        }
        self.content = self.content.into_iter().map(|block| block.for_version(version)).collect();
        self
    }
}
