//! Messages of a conversation before the model continues it.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::{Map, Value};

use super::result::{SamplingContent, ToolUse};
use crate::protocol::content::{ContentBlock, Role};
use crate::protocol::tool::CallToolResult;

/// Messages, from the first to the last.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(transparent)]
pub(super) struct Conversation(Vec<Message>);

#[derive(Debug, Clone, Serialize)]
struct Message {
    role: Role,
    content: Content,
}

#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
enum Content {
    Block(Box<ContentBlock>),
    /// What the model has said before.
    Answer(Vec<SamplingContent>),
    /// What the tools came to that it used there.
    Results(Vec<ToolResult>),
}

#[derive(Debug, Clone, Serialize)]
#[serde(tag = "type", rename = "tool_result", rename_all = "camelCase")]
struct ToolResult {
    tool_use_id: String,
    #[serde(flatten)]
    result: CallToolResult,
    /// That of the result, which does not write its own.
    #[serde(rename = "_meta", skip_serializing_if = "Option::is_none")]
    meta: Option<Map<String, Value>>,
}

/// What a model cannot be asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidSampling {
    #[error("a message to a model is text, an image or audio, and no resource")]
    Resource,
    #[error("the tool use `{0}` has no result in the message after it")]
    NoResult(String),
    #[error("the tool result `{0}` is not for a tool use in the message before it")]
    NoUse(String),
    #[error("the tool use `{0}` has two results")]
    TwoResults(String),
    #[error("the input schema of the tool `{0}` is not of the type `object`")]
    Schema(String),
}

impl Conversation {
    pub(super) fn say(&mut self, role: Role, content: ContentBlock) {
        self.0.push(Message { role, content: Content::Block(Box::new(content)) });
    }

    pub(super) fn answer(&mut self, content: Vec<SamplingContent>) {
        self.0.push(Message { role: Role::Assistant, content: Content::Answer(content) });
    }

    pub(super) fn results(&mut self, results: impl Iterator<Item = (String, CallToolResult)>) {
        let results = results.map(|(tool_use_id, result)| ToolResult {
            tool_use_id,
            meta: result.own_meta().cloned(),
            result,
        });
        self.0.push(Message { role: Role::User, content: Content::Results(results.collect()) });
    }

    pub(super) fn has_tools(&self) -> bool {
        self.0.iter().any(|message| match &message.content {
            Content::Block(_) => false,
            Content::Answer(content) => tool_uses(content).next().is_some(),
            Content::Results(_) => true,
        })
    }

    /// Whether every use of a tool is answered by the message after it, which has one result for
    /// each and nothing else.
    pub(super) fn check(&self) -> Result<(), InvalidSampling> {
        let mut open = BTreeSet::new();
        for message in &self.0 {
            match &message.content {
                Content::Block(block) if block.is_resource() => {
                    return Err(InvalidSampling::Resource);
                }
                Content::Results(results) => settle(&mut open, results)?,
                Content::Block(_) | Content::Answer(_) => {}
            }
            all_settled(&open)?;
            if let Content::Answer(content) = &message.content {
                open.extend(tool_uses(content).map(|tool_use| tool_use.id.as_str()));
            }
        }
        all_settled(&open)
    }
}

fn settle(open: &mut BTreeSet<&str>, results: &[ToolResult]) -> Result<(), InvalidSampling> {
    let mut settled = BTreeSet::new();
    for result in results {
        let id = result.tool_use_id.as_str();
        if !settled.insert(id) {
            return Err(InvalidSampling::TwoResults(id.to_owned()));
        }
        if !open.remove(id) {
            return Err(InvalidSampling::NoUse(id.to_owned()));
        }
    }
    Ok(())
}

fn all_settled(open: &BTreeSet<&str>) -> Result<(), InvalidSampling> {
    match open.first() {
        Some(id) => Err(InvalidSampling::NoResult((*id).to_owned())),
        None => Ok(()),
    }
}

fn tool_uses(content: &[SamplingContent]) -> impl Iterator<Item = &ToolUse> {
    content.iter().filter_map(SamplingContent::as_tool_use)
}
