//! Prompts on the wire.

use serde::Serialize;
use serde_json::{Map, Value};

use super::Version;
use super::content::{ContentBlock, Role};
use super::identity::Icon;

/// One prompt in the answer to `prompts/list`.
#[derive(Debug, Serialize)]
pub(crate) struct PromptDefinition<'a> {
    pub(crate) name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) title: Option<&'a str>,
    #[serde(skip_serializing_if = "str::is_empty")]
    pub(crate) description: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) arguments: Vec<PromptArgument>,
    #[serde(skip_serializing_if = "<[Icon]>::is_empty")]
    pub(crate) icons: &'a [Icon],
    #[serde(rename = "_meta", skip_serializing_if = "Option::is_none")]
    pub(crate) meta: Option<&'a Map<String, Value>>,
}

/// One argument of a prompt; its value is a string.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct PromptArgument {
    pub(crate) name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) title: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<String>,
    pub(crate) required: bool,
}

/// One message of a prompt: somebody says one thing.
///
/// ```
/// use midge::{ContentBlock, PromptMessage};
///
/// let question = PromptMessage::user("What does this picture show?");
/// let picture = PromptMessage::user(ContentBlock::image(b"\x89PNG...", "image/png"));
/// let start = PromptMessage::assistant("It shows");
/// # drop((question, picture, start));
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PromptMessage {
    role: Role,
    content: ContentBlock,
}

impl PromptMessage {
    /// The user says something.
    #[must_use]
    pub fn user(content: impl Into<ContentBlock>) -> Self {
        Self { role: Role::User, content: content.into() }
    }

    /// The model says something.
    #[must_use]
    pub fn assistant(content: impl Into<ContentBlock>) -> Self {
        Self { role: Role::Assistant, content: content.into() }
    }
}

/// What a prompt came to: messages, and maybe what they are for.
///
/// Most prompts return something simpler, see [`IntoPromptResult`](crate::IntoPromptResult).
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct GetPromptResult {
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    messages: Vec<PromptMessage>,
}

impl GetPromptResult {
    /// No messages yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Says what the prompt is for, now that its arguments are known.
    #[must_use]
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// Adds a message.
    #[must_use]
    pub fn message(mut self, message: PromptMessage) -> Self {
        self.messages.push(message);
        self
    }

    /// The result as a client of `version` understands it.
    pub(crate) fn for_version(mut self, version: Version) -> Self {
        for message in &mut self.messages {
            message.content = message.content.clone().for_version(version);
        }
        self
    }
}
